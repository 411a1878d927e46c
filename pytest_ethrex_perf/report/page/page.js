"use strict";
// The page is complete without this: here a block's details fold, and the table is sorted and filtered.
// Where scripts run, what is in a <noscript> is text: details are drawn when they are opened. Those of a page's
// less bad blocks are compressed, all with the same beginning, which the table has.
document.documentElement.classList.add("js");
const table = document.getElementById("overview");
const bodies = [...table.tBodies];
const search = document.getElementById("filter");
const chips = [...document.querySelectorAll(".chip")];
const headings = [...table.tHead.querySelectorAll("th")];

function open(body, wanted) {
  const button = body.querySelector("button.open");
  button.setAttribute("aria-expanded", String(wanted));
  const detail = body.querySelector("tr.detail");
  detail.classList.toggle("opened", wanted);
  const waiting = detail.querySelector("noscript");
  if (!wanted || !waiting) return;
  const cell = detail.cells[0];
  if (!cell.dataset.packed) draw(cell, waiting.textContent);
  else inflate(cell).then((text) => draw(cell, text), () => { cell.textContent = "This browser cannot inflate them."; });
}

function draw(cell, text) {
  cell.innerHTML = text;
  document.dispatchEvent(new Event("figures"));
}

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

async function inflate(cell) {
  const { beginning, skip } = table.dataset;
  const stream = new Blob([bytes(beginning), bytes(cell.dataset.packed)]).stream();
  const inflated = await new Response(stream.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  return new TextDecoder().decode(new Uint8Array(inflated, Number(skip)));
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const kinds = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.kind);
  let shown = 0;
  for (const body of bodies) {
    const own = body.dataset.kinds.split(" ");
    const name = body.dataset.block.toLowerCase();
    const fits = words.every((word) => name.includes(word)) && (!kinds.length || kinds.some((kind) => own.includes(kind)));
    body.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = shown === bodies.length ? "" : `${shown} of ${bodies.length} blocks`;
  document.getElementById("nothing").hidden = shown > 0 || bodies.length === 0;
}

function sort(heading) {
  const key = heading.querySelector("button").dataset.sort;
  const rising = heading.getAttribute("aria-sort") === "descending" || (!heading.hasAttribute("aria-sort") && key !== "delta");
  for (const other of headings) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const sign = rising ? 1 : -1;
  const compare = (a, b) => {
    const [left, right] = [a.dataset[key], b.dataset[key]];
    // what has no value stays at the end, whichever way
    if (left === "" || right === "") return (left === "") - (right === "") || a.dataset.order - b.dataset.order;
    const found = key === "block" ? left.localeCompare(right, "en", { numeric: true }) : left - right;
    return sign * found || a.dataset.order - b.dataset.order;
  };
  table.append(...bodies.sort(compare));
}

table.addEventListener("click", (event) => {
  const sorter = event.target.closest("button[data-sort]");
  if (sorter) return sort(sorter.closest("th"));
  const row = event.target.closest("tr.row");
  if (!row || String(getSelection())) return;
  const body = row.parentElement;
  open(body, body.querySelector("button.open").getAttribute("aria-expanded") !== "true");
});
document.querySelector(".by-gas")?.addEventListener("click", (event) => {
  const sign = event.target.closest("[data-of]");
  if (sign) location.hash = sign.dataset.of;
});
for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
}
search.addEventListener("input", filter);
search.form.addEventListener("submit", (event) => event.preventDefault());

// the table's head stays right below what filters it, however many lines that takes
new ResizeObserver(() => {
  const stays = getComputedStyle(search.form).position === "sticky";
  document.documentElement.style.setProperty("--controls", `${stays ? search.form.offsetHeight : 0}px`);
}).observe(search.form);

// printing opens what failed, and waits for nothing
addEventListener("load", async () => {
  for (const body of bodies) {
    const cell = body.querySelector("tr.detail").cells[0];
    if (!("failed" in body.dataset) || !cell.dataset.packed) continue;
    const text = await inflate(cell).catch(() => "");
    const waiting = cell.querySelector("noscript");
    if (!text || !waiting) continue;
    waiting.textContent = text;
    delete cell.dataset.packed;
  }
});

let opened = [];
addEventListener("beforeprint", () => {
  opened = bodies.filter((body) => "failed" in body.dataset && !body.querySelector("tr.detail").classList.contains("opened"));
  for (const body of opened) open(body, true);
});
addEventListener("afterprint", () => {
  for (const body of opened) open(body, false);
});

function follow() {
  const body = bodies.find((one) => "#" + one.id === location.hash); // ids have letters, digits and dashes
  if (body) {
    open(body, true);
    body.scrollIntoView();
  }
}
addEventListener("hashchange", follow);
follow();
if (bodies.length === 1) open(bodies[0], true);
