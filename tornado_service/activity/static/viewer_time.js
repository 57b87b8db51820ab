"use strict";

// Shows hours of the week in the viewer's time zone, where its clock differs from the hub's.
{
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const clock = new Intl.DateTimeFormat("en", {
    weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });

  const inWords = (seconds) => {
    const parts = clock.formatToParts(new Date(seconds * 1000));
    const { weekday, hour, minute } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
    return `${weekday} ${hour}:${minute}`;
  };

  for (const place of document.querySelectorAll("[data-start]")) {
    const { start, end, hours } = place.dataset;
    const here = `${inWords(start)} to ${inWords(end)}`;
    if (here === hours) continue;
    place.textContent = `In your time zone (${timeZone}): ${here}.`;
    place.hidden = false;
  }
}
