"use strict";

// On a narrow screen the tabs scroll: the current one is in view.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
