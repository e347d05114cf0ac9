// Keeps the page as it would be if it were loaded anew, and draws the course of the round trip over the latest windows.
"use strict";
const KEPT = 60, WIDTH = 120, HEIGHT = 20, SVG = "http://www.w3.org/2000/svg";
const EVERY_MS = 5000, AFTER_EVENT_MS = 300, CROWD_MS = 2000, PATIENCE_MS = 20000, TITLE = document.title;
// What the page shows. Announcements for path computation are not among it, and a crowd makes many.
const KINDS = ["state", "delay", "loss", "path", "policy", "clock", "config", "reflector_restart"];

// The latest window is at the right end, however many there are.
function draw(cell) {
  const values = cell.dataset.us ? cell.dataset.us.split(",").map(Number) : [];
  if (values.length < 2) return;
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1, first = KEPT - values.length;
  const point = (v, at) => `${(first + at) * WIDTH / (KEPT - 1)},${HEIGHT - 1 - (HEIGHT - 2) * (v - low) / span}`;
  const svg = document.createElementNS(SVG, "svg"), line = document.createElementNS(SVG, "polyline");
  svg.setAttribute("width", WIDTH); svg.setAttribute("height", HEIGHT); svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `course of the round trip, ${low} to ${high} us`);
  line.setAttribute("points", values.map(point).join(" "));
  svg.append(line); cell.replaceChildren(svg);
}

// What the server said of the cells of a row, before anything was drawn in them.
const said = new WeakMap();

function begin(row) {
  said.set(row, Array.from(row.cells, cell => cell.outerHTML));
  row.querySelectorAll("td.course").forEach(draw);
  return row;
}

// Cells that say the same stay: whoever selects one keeps it, and a crowd costs little. Whether any does not.
function renew(row, fresh) {
  const before = said.get(row), cells = Array.from(fresh.cells), now = cells.map(cell => cell.outerHTML);
  if (row.className !== fresh.className) row.className = fresh.className;
  let differs = false;
  now.forEach((text, at) => {
    if (text === before[at]) return;
    row.cells[at].replaceWith(cells[at]);
    draw(cells[at]);
    differs = true;
  });
  said.set(row, now);
  return differs;
}

// Rows that say the same stay where they are, and those that changed are put among them.
function follow(shown, fresh) {
  const known = new Map(Array.from(shown.rows, row => [row.dataset.name, row])), changed = new Set();
  const rows = Array.from(fresh.rows).map(row => {
    const old = known.get(row.dataset.name);
    if (!old || renew(old, row)) changed.add(old || row);
    return old || begin(document.adoptNode(row));
  });
  const stay = new Set(rows);
  for (const row of known.values()) if (!stay.has(row)) row.remove();
  let next = shown.firstElementChild;
  for (const here of rows) {
    // What is taken away has its turn later.
    const isInTheWay = () => next && next !== here && (!changed.has(here) || (changed.has(next) && next.nextElementSibling === here));
    while (isInTheWay()) { const away = next; next = away.nextElementSibling; away.remove(); }
    if (next === here) next = here.nextElementSibling;
    else shown.insertBefore(here, next);
  }
}

function show(fresh) {
  const picture = document.querySelector("figure"), other = fresh.querySelector("figure");
  // A picture that is the same as before is not loaded again.
  if (picture && other && picture.dataset.drawn !== other.dataset.drawn) picture.replaceWith(other);
  else if (picture && !other) picture.remove();
  else if (!picture && other) document.querySelector("main table").before(other);
  for (const name of ["#sum", "#more"]) {
    const shown = document.querySelector(name), { textContent } = fresh.querySelector(name);
    if (shown.textContent !== textContent) shown.textContent = textContent;
  }
  follow(document.querySelector("tbody"), fresh.querySelector("tbody"));
}

let timer, due = Infinity, looks = false, answered = new Date();
// The earliest wish counts; one whose time has passed is not waited for.
function within(ms) {
  const now = performance.now(), at = now + ms;
  if (now < due && due <= at) return;
  due = at;
  clearTimeout(timer);
  timer = setTimeout(look, ms);
}

async function look() {
  due = Infinity;
  // What nobody sees is not looked for until somebody does, and one look ends before the next begins.
  if (document.hidden) return;
  if (looks) return within(AFTER_EVENT_MS);
  looks = true;
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    answered = new Date();
    document.title = TITLE;
  } catch {
    document.title = "(no answer) " + TITLE;
    document.querySelector("#sum").textContent = `no answer since ${answered.toLocaleTimeString()}: what follows is as it was then`;
  }
  looks = false;
  within(EVERY_MS);
}

document.querySelectorAll("tbody tr").forEach(begin);
within(EVERY_MS);
document.addEventListener("visibilitychange", () => within(0));
// Whatever happens shows soon; many events in a row are one look. In a crowd something always happens, and nobody reads faster.
const events = new EventSource("/api/v1/events?" + KINDS.map(kind => "type=" + kind).join("&"));
const happened = () => within(document.querySelector("#more").textContent ? CROWD_MS : AFTER_EVENT_MS);
for (const kind of KINDS) events.addEventListener(kind, happened);
// What happened before anybody listened, or while nobody could, is told by nobody.
for (const kind of ["open", "error"]) events.addEventListener(kind, happened);
