// Keeps the page as it would be if it were loaded anew, and draws the course of the round trip over the latest windows.
"use strict";
const KEPT = 60, EVERY_MS = 5000, AFTER_EVENT_MS = 300, CROWD_MS = 2000, SVG = "http://www.w3.org/2000/svg";
const TITLE = document.title;

function draw() {
  for (const cell of document.querySelectorAll("td.course")) {
    const values = cell.dataset.us ? cell.dataset.us.split(",").map(Number) : [];
    if (values.length < 2) continue;
    const low = Math.min(...values), span = Math.max(...values) - low || 1;
    const svg = document.createElementNS(SVG, "svg"), line = document.createElementNS(SVG, "polyline");
    svg.setAttribute("width", "120"); svg.setAttribute("height", "20"); svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "course of the round trip");
    line.setAttribute("points", values.map((v, at) => `${at * 120 / (KEPT - 1)},${19 - 18 * (v - low) / span}`).join(" "));
    svg.append(line); cell.replaceChildren(svg);
  }
}

let timer;
async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    // A picture that is the same as before is not loaded again.
    const shown = document.querySelector("figure"), next = fresh.querySelector("figure");
    if (shown && next && shown.dataset.drawn === next.dataset.drawn) next.replaceWith(shown);
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    document.title = TITLE;
    draw();
  } catch {
    document.title = "(no answer) " + TITLE;
  }
  timer = setTimeout(refresh, EVERY_MS);
}

draw();
timer = setTimeout(refresh, EVERY_MS);
// Whatever happens shows at once; many events in a row are one look.
let soon;
const events = new EventSource("/api/v1/events");
// In a crowd something always happens; nobody reads faster than that.
const pause = () => document.querySelector("#more").textContent ? CROWD_MS : AFTER_EVENT_MS;
const happened = () => { soon = soon || setTimeout(() => { soon = undefined; refresh(); }, pause()); };
events.onmessage = happened;
for (const kind of ["state", "delay", "loss", "te", "path", "policy", "clock", "config", "reflector_restart"]) events.addEventListener(kind, happened);
