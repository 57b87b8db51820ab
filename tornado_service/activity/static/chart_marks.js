"use strict";

// Marks that the charts have in common: hatches for gaps, and notes on the time axis.
{
  // Gaps are hatched, so that no colour is taken for a figure.
  const SVG = "http://www.w3.org/2000/svg";
  let hatches = 0;
  const element = (name, attributes, ...children) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const hatched = (mark) => {
    const id = `hatch-${(hatches += 1)}`;
    const size = { width: 6, height: 6 };
    const pattern = element(
      "pattern",
      { id, ...size, class: "hatch", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      element("rect", size),
      element("path", { d: "M0,0V6" }),
    );
    return [() => element("defs", {}, pattern), mark(`url(#${id})`)];
  };

  // Rows in words: the first of those that follow each other, to the last.
  const inRuns = (rows, meant) => {
    const firsts = rows.filter((row, n) => meant.has(row) && !meant.has(rows[n - 1]));
    const lasts = rows.filter((row, n) => meant.has(row) && !meant.has(rows[n + 1]));
    const names = firsts.map(({ place }, n) =>
      place === lasts[n].place ? place : `${place} to ${lasts[n].place}`);
    const more = names.length - 3;
    return names.slice(0, 3).join(", ") + (more > 0 ? ` and ${more} more` : "");
  };

  // The notes of the list on the page, with their numbers in it; a chart by hour has none.
  const DAY = 86_400_000;
  const noteMarks = (rows) => {
    const [begin, end] = [rows[0].from, rows.at(-1).to];
    if (!(begin instanceof Date)) return [];
    const notes = [...document.querySelectorAll("[data-note-from]")]
      .map(({ dataset }, n) => ({
        from: Math.max(+begin, Date.parse(dataset.noteFrom)),
        to: Math.min(+end, Date.parse(dataset.noteTo) + DAY),
        number: String(n + 1),
      }))
      .filter(({ from, to }) => from < to);
    const ink = "var(--bs-body-color, currentcolor)";
    const middle = ({ from, to }) => new Date((from + to) / 2);
    return [
      Plot.rect(notes, {
        x1: ({ from }) => new Date(from), x2: ({ to }) => new Date(to), fill: ink, fillOpacity: 0.08,
      }),
      Plot.text(notes, { x: middle, text: "number", frameAnchor: "top", dy: -14, fill: ink, fontWeight: 600 }),
    ];
  };

  window.chartMarks = { hatched, inRuns, noteMarks };
}
