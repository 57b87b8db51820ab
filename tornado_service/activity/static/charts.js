"use strict";

// Draws the charts of a page from its tables, with Observable Plot. Colours are CSS variables, so
// that a chart follows the theme; a table that has been drawn is folded up.
{
  const DAY = 86_400_000;
  const PAPER = 680; // the width of a chart on paper, in pixels

  const isDay = (text) => text.includes("-");
  const begin = (text) => (isDay(text) ? new Date(text) : Number(text));
  const end = (text) => (isDay(text) ? new Date(Date.parse(text) + DAY) : Number(text) + 1);
  const middle = (from, to) => (from instanceof Date ? new Date((+from + +to) / 2) : (from + to) / 2);
  const number = (cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value));

  // One column of a table: where its figures are from and to, what they are, and in which words.
  const readColumn = (table, name) => {
    const head = table.querySelector(`thead [data-name="${name}"]`);
    const rows = [...table.tBodies[0].rows].map((row) => {
      const [place, cell] = [row.cells[0], row.cells[head.cellIndex]];
      const [from, to] = [begin(place.dataset.from), end(place.dataset.to)];
      const words = `${place.textContent.trim()}\n${head.textContent.trim()}: ${cell.textContent.trim()}`;
      return {
        from, to, words, at: middle(from, to), value: number(cell), isPart: "part" in cell.dataset,
        isComing: "coming" in cell.dataset,
        place: place.textContent.trim(), text: cell.textContent.trim(),
        href: place.querySelector("a")?.href,
      };
    });
    return { name: head.textContent.trim(), rows: rows.sort((a, b) => a.from - b.from) };
  };

  const known = (rows) => rows.filter(({ value }) => !Number.isNaN(value));
  const gaps = (rows) => rows.filter(({ value, isComing }) => Number.isNaN(value) && !isComing);

  // What the picture says, for those who do not see it.
  const inWords = ({ name, rows }) => {
    const all = known(rows);
    if (!all.length) return `${name}: no data.`;
    const most = all.reduce((a, b) => (b.value > a.value ? b : a));
    const least = all.reduce((a, b) => (b.value < a.value ? b : a));
    const missing = gaps(rows).length;
    return (
      `${name}, ${rows[0].place} up to ${rows.at(-1).place}: the maximum is ${most.text} (${most.place}),` +
      ` the minimum ${least.text} (${least.place}).` +
      (missing ? ` ${missing} of ${rows.length} have no data.` : "")
    );
  };

  // Every so many of the rows have their name below them: the first day of each, or the hour.
  const labels = (rows, width) => {
    const isMonths = rows.some(({ from, to }) => to - from > 10 * DAY);
    const day = d3.utcFormat(isMonths ? "%b %Y" : "%-d %b");
    // midnight has the day's name
    const hour = (place) => (place.endsWith(" 00:00") ? day(new Date(place.slice(0, 10))) : place.slice(-5));
    const atLeast = rows.length / (width / 64);
    const isHours = !(rows[0].from instanceof Date);
    const every = isHours ? [1, 2, 3, 6, 12].find((n) => n >= atLeast) : Math.ceil(atLeast);
    const shown = rows.filter((_, n) => n % every === 0);
    const names = new Map(
      shown.map(({ from, at, place }) => [+at, isHours ? hour(place) : day(from)]),
    );
    return {
      label: null,
      tickSize: 0,
      ticks: shown.map(({ at }) => at),
      tickFormat: (at) => names.get(+at),
    };
  };

  const frame = (columns, width) => {
    const { rows } = columns[0];
    const values = columns.flatMap((column) => known(column.rows).map(({ value }) => value));
    const [, most] = d3.nice(0, Math.max(0, ...values) || 1, 4);
    const isWhole = columns.some((column) => known(column.rows).every(({ value }) => value % 1 === 0));
    const ticks = d3.ticks(0, most, 4).filter((tick) => !isWhole || tick % 1 === 0);
    return {
      width,
      height: 200,
      marginLeft: 44,
      marginRight: 8,
      x: {
        type: rows[0].from instanceof Date ? "utc" : "linear",
        domain: [rows[0].from, rows.at(-1).to],
        ...labels(rows, width),
      },
      y: { domain: [0, most], ticks, grid: true, label: null, ...(isWhole && { tickFormat: ",d" }) },
    };
  };

  const tip = (rows) =>
    Plot.tip(rows, Plot.pointerX({ x: "at", y: ({ value }) => value || 0, title: "words" }));

  const { hatched, inRuns, noteMarks } = window.chartMarks ?? {};
  const gapMark = (rows) => hatched((fill) => Plot.rect(gaps(rows), { x1: "from", x2: "to", fill }));

  // A figure of a period with data may not be known, either.
  const gapKeys = (rows) => {
    const missing = gaps(rows);
    const words = [...new Set(missing.map(({ text }) => (text === "not known" ? text : "no data")))].sort();
    return missing.length ? [["gap", `${words.join(" or ")}: ${inRuns(rows, new Set(missing))}`]] : [];
  };

  // Lines over a chart: the period before it, and an average.
  const LINES = {
    previous: ["previous period", { stroke: "var(--chart-pale)", strokeWidth: 2, strokeDasharray: "5 4" }],
    average: ["7-day average", { stroke: "var(--bs-body-color, currentcolor)", strokeWidth: 2 }],
  };
  const overlays = (table, { previous, average }) =>
    Object.entries({ previous, average }).flatMap(([kind, name]) => {
      const column = name && readColumn(table, name);
      return column && known(column.rows).length ? [{ kind, ...column }] : [];
    });
  const overlayMarks = (lines) =>
    lines.flatMap(({ kind, rows }) => {
      const line = { x: "at", y: "value" };
      const halo = { stroke: "var(--bs-body-bg, canvas)", strokeWidth: 4, strokeOpacity: 0.6 };
      return [Plot.lineY(rows, { ...line, ...halo }), Plot.lineY(rows, { ...line, ...LINES[kind][1] })];
    });
  const overlayKeys = (lines, { before }) =>
    lines.map(({ kind }) => [kind, (kind === "previous" && before) || LINES[kind][0]]);

  // What the tip says: of a row of the first column, and of the same row of the others.
  const inOneTip = ([first, ...others]) =>
    first.map((row, n) => ({
      ...row,
      words: [row.words, ...others.map((rows) => rows[n].words.split("\n")[1])].join("\n"),
    }));

  // Each kind gives the picture, what it says, and the key to its colours.
  const KINDS = {
    bars(table, { columns: [name], ...more }, width) {
      const column = readColumn(table, name);
      const { rows } = column;
      const lines = overlays(table, more);
      const inset = width / rows.length > 6 ? 1 : 0;
      return {
        svg: Plot.plot({
          ...frame([column, ...lines], width),
          marks: [
            ...gapMark(rows),
            ...noteMarks(rows),
            Plot.rectY(known(rows), {
              x1: "from", x2: "to", y: "value", insetLeft: inset, insetRight: inset,
              fill: "var(--chart)", fillOpacity: ({ isPart }) => (isPart ? 0.45 : 1),
            }),
            ...overlayMarks(lines),
            Plot.ruleY([0]),
            tip(inOneTip([rows, ...lines.map((line) => line.rows)])),
          ],
          opacity: { type: "identity" },
        }),
        words: [column, ...lines].map(inWords).join(" "),
        key: [
          ...overlayKeys(lines, more),
          ...(rows.some(({ isPart }) => isPart) ? [["part", "incomplete"]] : []),
          ...gapKeys(rows),
        ],
      };
    },

    lines(table, { columns: names, key, ...more }, width) {
      const columns = names.map((name) => readColumn(table, name));
      const [most, mean] = columns.map(({ rows }) => rows);
      const over = overlays(table, more);
      const [pale, strong] = key.split("|");
      const line = { x: "at", y: "value", strokeLinecap: "round" };
      return {
        svg: Plot.plot({
          ...frame([...columns, ...over], width),
          marks: [
            ...gapMark(most),
            ...noteMarks(most),
            Plot.areaY(mean, { x: "at", y: "value", fill: "var(--chart)", fillOpacity: 0.2 }),
            Plot.lineY(most, { ...line, stroke: "var(--chart-pale)", strokeWidth: 1.5 }),
            Plot.lineY(mean, { ...line, stroke: "var(--chart)", strokeWidth: 2.5 }),
            ...overlayMarks(over),
            Plot.ruleY([0]),
            tip(inOneTip([most, mean, ...over.map(({ rows }) => rows)])),
          ],
        }),
        words: [...columns, ...over].map(inWords).join(" "),
        key: [["pale", pale], ["strong", strong], ...overlayKeys(over, more), ...gapKeys(most)],
      };
    },

    heat(table, _, width) {
      const hours = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
      const rows = [...table.tBodies[0].rows].flatMap((row) =>
        [...row.cells].slice(1).map((cell, hour) => {
          const day = row.cells[0].textContent.trim();
          const place = `${day} ${hour}:00 to ${hour + 1}:00`;
          const text = cell.textContent.trim();
          return {
            day: day.slice(0, 3), hour: hours[hour], value: number(cell), place, text,
            words: `${place}\n${text} concurrent servers`, isQuiet: "quiet" in cell.dataset,
            step: Number(cell.dataset.step),
          };
        }),
      );
      const spot = { x: "hour", y: "day" };
      const longest = Math.max(...known(rows).map(({ text }) => text.length), 0);
      const hasRoom = (width - 44) / 24 >= 6 * longest + 3;
      const steps = table.dataset.steps.split("|").filter(Boolean);
      const isFew = ({ step }) => step > 0 && step < 3;
      return {
        svg: Plot.plot({
          width,
          height: 7 * Math.max(20, Math.min(30, width / 28)) + 40,
          marginLeft: 36,
          marginRight: 8,
          padding: 0.06,
          x: { domain: hours, ticks: hours.filter((_, n) => n % 3 === 0), label: null, tickSize: 0 },
          y: { domain: [...new Set(rows.map(({ day }) => day))], label: null, tickSize: 0 },
          marks: [
            ...hatched((fill) => Plot.cell(gaps(rows), { ...spot, fill })),
            ...[0, 1, 2, 3, 4, 5].map((step) =>
              Plot.cell(known(rows).filter((row) => row.step === step), {
                ...spot,
                ...(step
                  ? { fill: `var(--heat-${step})` }
                  : { fill: "none", stroke: "var(--bs-secondary-color, currentcolor)", strokeWidth: 0.5 }),
              }),
            ),
            ...(hasRoom
              ? [
                  [({ step }) => !step, "var(--bs-body-color, currentcolor)"],
                  [isFew, "var(--heat-ink-low)"],
                  [({ step }) => step > 2, "var(--heat-ink-high)"],
                ].map(([isMeant, fill]) =>
                  Plot.text(known(rows).filter(isMeant), { ...spot, text: "text", fill, fontSize: 10 }))
              : []),
            Plot.cell(rows.filter(({ isQuiet }) => isQuiet), {
              ...spot, stroke: "var(--bs-body-color, currentcolor)", strokeWidth: 2,
            }),
            Plot.tip(rows, Plot.pointer({ ...spot, title: "words" })),
          ],
        }),
        words: inWords({ name: "Concurrent servers", rows }),
        key: [
          ...(known(rows).some(({ step }) => !step) ? [["step-0", "0"]] : []),
          ...steps.map((words, n) => [`step-${n + 1}`, words]),
          ...(rows.some(({ isQuiet }) => isQuiet) ? [["quiet", "best time for maintenance"]] : []),
          ...(gaps(rows).length ? [["gap", "no data"]] : []),
        ],
      };
    },
  };

  // Several columns of one table, each in a color of its own.
  const readColumns = (table, names) =>
    names.map((name, n) => ({ ...readColumn(table, name), color: `var(--chart-${n + 1})` }));

  // What all of them have at each place, in words.
  const together = (columns) =>
    columns[0].rows.map((row, n) => ({
      ...row,
      value: d3.sum(columns, ({ rows }) => rows[n].value || 0),
      words: [row.place, ...columns.map(({ name, rows }) => `${name}: ${rows[n].text}`)].join("\n"),
    }));

  const colorKeys = (columns) => columns.map(({ name }, n) => [String(n + 1), name]);

  Object.assign(KINDS, {
    stack(table, { columns: names }, width) {
      const columns = readColumns(table, names);
      const totals = { rows: together(columns) };
      const missing = columns[0].rows;
      const inset = width / missing.length > 6 ? 1 : 0;
      const lows = missing.map(() => 0);
      const parts = columns.flatMap(({ rows, color }) =>
        known(rows).map((row) => {
          const n = rows.indexOf(row);
          const low = lows[n];
          lows[n] += row.value;
          return { ...row, color, low, high: lows[n] };
        }),
      );
      return {
        svg: Plot.plot({
          ...frame([totals], width),
          color: { type: "identity" },
          marks: [
            ...gapMark(missing),
            ...noteMarks(missing),
            Plot.rectY(parts, {
              x1: "from", x2: "to", y1: "low", y2: "high", insetLeft: inset, insetRight: inset,
              insetTop: 1, fill: "color", fillOpacity: ({ isPart }) => (isPart ? 0.7 : 1),
            }),
            Plot.ruleY([0]),
            tip(totals.rows),
          ],
          opacity: { type: "identity" },
        }),
        words: columns.map(inWords).join(" "),
        key: [...colorKeys(columns), ...gapKeys(missing)],
      };
    },

    series(table, { columns: names }, width) {
      const columns = readColumns(table, names);
      const { rows } = columns[0];
      const all = together(columns);
      const dashes = ["", "7 3", "2 3", "10 3 2 3"];
      return {
        svg: Plot.plot({
          ...frame(columns, width),
          marks: [
            ...gapMark(rows),
            ...noteMarks(rows),
            ...columns.map(({ rows, color }, n) =>
              Plot.lineY(rows, {
                x: "at", y: "value", stroke: color, strokeWidth: 2, strokeLinecap: "butt",
                strokeDasharray: dashes[n % dashes.length],
              }),
            ),
            Plot.ruleY([0]),
            Plot.tip(all, Plot.pointerX({
              x: "at", y: (_, n) => d3.max(columns, ({ rows }) => rows[n].value) || 0, title: "words",
            })),
          ],
        }),
        words: columns.map(inWords).join(" "),
        key: [...colorKeys(columns), ...gapKeys(rows)],
      };
    },
  });

  const keyOf = (entries) =>
    entries.map(([name, words]) => {
      const entry = document.createElement("small");
      const colour = document.createElement("span");
      colour.className = `key key-${name}`;
      entry.append(colour, words);
      return entry;
    });

  const draw = (figure, width) => {
    const { chart, table, columns, ...more } = figure.dataset;
    const names = columns.split(" ");
    const { svg, words, key } = KINDS[chart](document.getElementById(table), { ...more, columns: names }, width);
    const caption = figure.querySelector("figcaption");
    for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${caption.firstChild.textContent.trim()}. ${words}`);
    // a click opens the row that the tip is about; a finger has to tap twice, as the first shows the tip
    if (document.getElementById(table).querySelector("tbody th a")) svg.setAttribute("data-opens", "");
    let tapped;
    svg.addEventListener("click", ({ pointerType }) => {
      const isMeant = pointerType !== "touch" || svg.value === tapped;
      if (svg.value?.href && isMeant) location.assign(svg.value.href);
      requestAnimationFrame(() => { tapped = svg.value; }); // the tip is drawn in a frame, too
    });
    figure.querySelector("svg")?.remove();
    figure.append(svg);
    for (const old of caption.querySelectorAll("small")) old.remove();
    caption.append(...keyOf(key));
  };

  // Without what draws, the tables stay.
  const canDraw = window.d3 && window.Plot?.plot && window.chartMarks;
  const figures = [...document.querySelectorAll("figure[data-chart]")].filter(
    ({ dataset: { table } }) => canDraw && document.getElementById(table).tBodies[0].rows.length,
  );
  const widths = new WeakMap();
  const fit = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const width = Math.floor(target.clientWidth);
      if (width && width !== widths.get(target)) {
        widths.set(target, width);
        draw(target, width);
      }
    }
  });

  for (const figure of figures) {
    figure.hidden = false;
    fit.observe(figure);
    const details = document.querySelector(`details[data-of="${figure.dataset.table}"]`);
    details?.removeAttribute("open");
    details?.classList.add("drawn");
  }

  addEventListener("beforeprint", () => figures.forEach((figure) => draw(figure, PAPER)));
  addEventListener("afterprint", () => figures.forEach((figure) => draw(figure, figure.clientWidth)));
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
}
