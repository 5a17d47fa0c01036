// The palette: commands by a few of their letters, and files by their names while the sandbox is
// awake. Typing alone never wakes it; Enter on what says so does.
import { written } from "../commands.js";
import { commandsFor } from "./commands.js";
import { fileSearch } from "./files.js";

const MOST = 40;
const { body, documentElement: root } = document;
const palette = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const note = document.getElementById("palette-note");
let entries = [];
let at = 0;

const wake = {
  name: "Wake the sandbox to find files",
  stays: true,
  run: () => body.dispatchEvent(new CustomEvent("inside:wanted")),
};
const isAwake = () => root.dataset.inside === "open";

const option = (entry, index) => {
  const item = document.createElement("li");
  item.id = `palette-option-${index}`;
  item.role = "option";
  for (const [tag, text] of [["span", entry.name], ["small", entry.where], ["kbd", entry.keys && written(entry.keys)]]) {
    if (text) item.append(Object.assign(document.createElement(tag), { textContent: text }));
  }
  return item;
};
const select = (index) => {
  at = Math.max(0, Math.min(index, entries.length - 1));
  for (const item of list.children) item.ariaSelected = String(item === list.children[at]);
  list.children[at]?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", list.children[at]?.id ?? "");
};
const render = () => {
  const query = input.value.trim();
  const found = [...commandsFor(query), ...files.found];
  const asks = query && document.querySelector(".panes") && !isAwake();
  entries = [...found.slice(0, MOST), ...(asks ? [wake] : [])];
  list.replaceChildren(...entries.map(option));
  if (asks) note.textContent = "Wake the sandbox to find files.";
  else if (entries.length) note.textContent = "";
  else note.textContent = files.looking ? "Searching…" : "Nothing matches.";
  select(0);
};

const files = fileSearch(input.dataset.filesFrom, render);
const ask = () => {
  files.ask(isAwake() ? input.value.trim() : "");
  render();
};
const choose = (entry) => {
  if (!entry) return;
  if (!entry.stays) palette.close();
  entry.run();
};

input.addEventListener("input", ask);
input.addEventListener("keydown", (event) => {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
  if (to !== undefined) select(to);
  else if (event.key === "Enter") choose(entries[at]);
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) choose(entries[[...list.children].indexOf(item)]);
});
// Opened by a command like any other dialog.
palette.addEventListener("toggle", (event) => {
  if (event.newState !== "open") return;
  ask();
  input.focus();
});
// Not as it opens: somebody may have typed before that is told.
palette.addEventListener("close", () => { input.value = ""; });
body.addEventListener("inside:state", () => palette.open && ask());
