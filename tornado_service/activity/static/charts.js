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
    const atLeast = rows.length / (width / 64);
    const isHours = !(rows[0].from instanceof Date);
    const every = isHours ? [1, 2, 3, 6, 12].find((n) => n >= atLeast) : Math.ceil(atLeast);
    const shown = rows.filter((_, n) => n % every === 0);
    const names = new Map(
      shown.map(({ from, at }) => [+at, isHours ? `${from}:00` : day(from)]),
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
  const gapMark = (rows) =>
    Plot.rect(gaps(rows), { x1: "from", x2: "to", fill: "var(--chart-gap)" });

  const gapKeys = (rows) => (gaps(rows).length ? [["gap", "no data"]] : []);

  // Each kind gives the picture, what it says, and the key to its colours.
  const KINDS = {
    bars(table, names, width) {
      const column = readColumn(table, names[0]);
      const { rows } = column;
      const inset = width / rows.length > 6 ? 1 : 0;
      return {
        svg: Plot.plot({
          ...frame([column], width),
          marks: [
            gapMark(rows),
            Plot.rectY(known(rows), {
              x1: "from", x2: "to", y: "value", insetLeft: inset, insetRight: inset,
              fill: "var(--chart)", fillOpacity: ({ isPart }) => (isPart ? 0.45 : 1),
            }),
            Plot.ruleY([0]),
            tip(rows),
          ],
          opacity: { type: "identity" },
        }),
        words: inWords(column),
        key: [
          ...(rows.some(({ isPart }) => isPart) ? [["part", "incomplete"]] : []),
          ...gapKeys(rows),
        ],
      };
    },

    lines(table, names, width) {
      const columns = names.map((name) => readColumn(table, name));
      const [most, mean] = columns.map(({ rows }) => rows);
      const line = { x: "at", y: "value", strokeLinecap: "round" };
      return {
        svg: Plot.plot({
          ...frame(columns, width),
          marks: [
            gapMark(most),
            Plot.areaY(mean, { x: "at", y: "value", fill: "var(--chart)", fillOpacity: 0.2 }),
            Plot.lineY(most, { ...line, stroke: "var(--chart-pale)", strokeWidth: 1.5 }),
            Plot.lineY(mean, { ...line, stroke: "var(--chart)", strokeWidth: 2.5 }),
            Plot.ruleY([0]),
            tip(most.map((row, n) => ({ ...row, words: `${row.words}\n${mean[n].words.split("\n")[1]}` }))),
          ],
        }),
        words: columns.map(inWords).join(" "),
        key: [["pale", "peak"], ["strong", "average"], ...gapKeys(most)],
      };
    },

    heat(table, names, width) {
      const hours = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
      const rows = [...table.tBodies[0].rows].flatMap((row) =>
        [...row.cells].slice(1).map((cell, hour) => {
          const day = row.cells[0].textContent.trim();
          const place = `${day} ${hour}:00 to ${hour + 1}:00`;
          const text = cell.textContent.trim();
          return {
            day: day.slice(0, 3), hour: hours[hour], value: number(cell), place, text,
            words: `${place}\n${text} concurrent servers`, isQuiet: "quiet" in cell.dataset,
          };
        }),
      );
      const most = Math.max(...known(rows).map(({ value }) => value), 0) || 1;
      const spot = { x: "hour", y: "day" };
      return {
        svg: Plot.plot({
          width,
          height: 7 * Math.max(20, Math.min(30, width / 28)) + 40,
          marginLeft: 36,
          marginRight: 8,
          padding: 0.06,
          x: { domain: hours, ticks: hours.filter((_, n) => n % 3 === 0), label: null, tickSize: 0 },
          y: { domain: [...new Set(rows.map(({ day }) => day))], label: null, tickSize: 0 },
          opacity: { domain: [0, most], range: [0.06, 1] },
          marks: [
            Plot.cell(gaps(rows), { ...spot, fill: "var(--chart-gap)" }),
            Plot.cell(known(rows), { ...spot, fill: "var(--chart)", fillOpacity: "value" }),
            Plot.cell(rows.filter(({ isQuiet }) => isQuiet), {
              ...spot, stroke: "var(--bs-body-color, currentcolor)", strokeWidth: 2,
            }),
            Plot.tip(rows, Plot.pointer({ ...spot, title: "words" })),
          ],
        }),
        words: inWords({ name: "Concurrent servers", rows }),
        key: [
          ...(known(rows).length ? [["strong", `scale 0–${d3.format(".1f")(most)} servers`]] : []),
          ...(rows.some(({ isQuiet }) => isQuiet) ? [["quiet", "best time for maintenance"]] : []),
          ...gapKeys(rows),
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
    stack(table, names, width) {
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
            gapMark(missing),
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

    series(table, names, width) {
      const columns = readColumns(table, names);
      const { rows } = columns[0];
      const all = together(columns);
      const dashes = ["", "7 3", "2 3", "10 3 2 3"];
      return {
        svg: Plot.plot({
          ...frame(columns, width),
          marks: [
            gapMark(rows),
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
    const { chart, table, columns } = figure.dataset;
    const { svg, words, key } = KINDS[chart](document.getElementById(table), columns.split(" "), width);
    const caption = figure.querySelector("figcaption");
    for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${caption.firstChild.textContent.trim()}. ${words}`);
    figure.querySelector("svg")?.remove();
    figure.append(svg);
    for (const old of caption.querySelectorAll("small")) old.remove();
    caption.append(...keyOf(key));
  };

  // Without what draws, the tables stay.
  const canDraw = window.d3 && window.Plot?.plot;
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
