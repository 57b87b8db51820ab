"use strict";

// Charts by keyboard: each has a reader that takes the focus. The arrow keys move from value to
// value, which is read from the chart's table; the chart's own tip points at it.
{
  const DAY = 86_400_000;

  const textOf = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const isDay = (text) => text.includes("-");
  const begin = ({ dataset: { from } }) => (isDay(from) ? Date.parse(from) : Number(from));
  const end = ({ dataset: { to } }) => (isDay(to) ? Date.parse(to) + DAY : Number(to) + 1);

  // The points of a chart in rows: where each is on the scales, and what is said of it.
  const readRows = (table, names) => {
    const heads = names.map((name) => table.querySelector(`thead [data-name="${name}"]`)).filter(Boolean);
    const rows = [...table.tBodies[0].rows].sort((a, b) => begin(a.cells[0]) - begin(b.cells[0]));
    const points = rows.map(({ cells }) => {
      const values = heads.map((head) => `${textOf(head)} ${textOf(cells[head.cellIndex])}`);
      const middle = (begin(cells[0]) + end(cells[0])) / 2;
      return {
        x: isDay(cells[0].dataset.from) ? new Date(middle) : middle,
        y: Number(cells[heads[0].cellIndex].dataset.value ?? 0),
        words: `${textOf(cells[0])}: ${values.join(", ")}`,
        href: cells[0].querySelector("a")?.href,
      };
    });
    return [points];
  };

  const readHeat = (table) => {
    const hours = [...table.tHead.rows[0].cells].slice(1).map(textOf);
    const unit = textOf(table.tHead.rows[0].cells[0]);
    return [...table.tBodies[0].rows].map(({ cells: [day, ...cells] }) =>
      cells.map((cell, hour) => ({
        x: hours[hour],
        y: textOf(day).slice(0, 3),
        words: `${textOf(day)} ${hour}:00 to ${hour + 1}:00: ${unit} ${
          textOf(cell.querySelector(".visually-hidden") ?? cell)}`,
      })),
    );
  };

  const read = ({ dataset: { chart, table, columns, previous, average } }) => {
    const source = document.getElementById(table);
    if (chart === "heat") return readHeat(source);
    return readRows(source, [...columns.split(" "), previous, average].filter(Boolean));
  };

  // The chart's tip follows the pointer, so it is told of one.
  const point = (figure, { x, y }) => {
    const svg = figure.querySelector("svg");
    const [ofX, ofY] = ["x", "y"].map((name) => svg?.scale?.(name));
    if (!ofX || !ofY) return;
    const box = svg.getBoundingClientRect();
    const size = box.width / svg.viewBox.baseVal.width;
    const place = (scale, value) => size * (scale.apply(value) + (scale.bandwidth ?? 0) / 2);
    svg.dispatchEvent(new PointerEvent("pointermove", {
      pointerType: "mouse", clientX: box.left + place(ofX, x), clientY: box.top + place(ofY, y),
    }));
  };

  const hideTip = (figure) =>
    figure.querySelector("svg")?.dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" }));

  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const between = (number, length) => Math.max(0, Math.min(length - 1, number));

  // The place after a key, if the key moves at all.
  const move = (rows, at, key) => {
    const last = rows[0].length - 1;
    if (key === "Home") return [at?.[0] ?? 0, 0];
    if (key === "End") return [at?.[0] ?? 0, last];
    const step = STEPS[key];
    if (!step || (step[0] && rows.length === 1)) return null;
    if (!at) return [0, key === "ArrowLeft" ? last : 0];
    return [between(at[0] + step[0], rows.length), between(at[1] + step[1], last + 1)];
  };

  const add = (figure) => {
    const caption = figure.querySelector("figcaption");
    const reader = document.createElement("div");
    const value = document.createElement("span");
    reader.className = "reader visually-hidden-focusable";
    reader.tabIndex = 0;
    reader.setAttribute("role", "application");
    reader.setAttribute("aria-label", `Values of the chart: ${textOf(caption.firstChild)}. Use the arrow keys.`);
    value.setAttribute("aria-live", "polite");
    value.textContent = "Use the arrow keys to read the values.";
    reader.append(value);
    caption.after(reader);

    let at = null;
    reader.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") hideTip(figure);
      const rows = read(figure);
      const href = at && rows[at[0]][at[1]].href;
      if (event.key === "Enter" && href) location.assign(href);
      const next = move(rows, at, event.key);
      if (!next) return;
      event.preventDefault();
      at = next;
      const shown = rows[at[0]][at[1]];
      value.textContent = shown.words;
      point(figure, shown);
    });
    reader.addEventListener("blur", () => hideTip(figure));
  };

  for (const figure of document.querySelectorAll("figure[data-chart]:not([hidden])")) add(figure);
}
