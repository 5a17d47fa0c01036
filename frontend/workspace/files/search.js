// Search below the folder that is shown: names, or lines with their numbers.
import { state } from "./tree.js";

const { body } = document;
const form = document.querySelector(".files-search");
const found = document.getElementById("files-found");
const tree = document.getElementById("files-tree");
let timer, asked = 0;

const line = (match) => {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.textContent = match.path.slice(state.folder.length).replace(/^\//, "") + (match.line ? `:${match.line}` : "");
  if (match.text) button.append(Object.assign(document.createElement("code"), { textContent: match.text }));
  button.onclick = () => {
    if (match.kind === "file") body.dispatchEvent(new CustomEvent("files:open", { detail: { path: match.path, line: match.line } }));
  };
  item.append(button);
  return item;
};
const note = (text) => Object.assign(document.createElement("li"), { className: "entry-note", textContent: text });
const search = async () => {
  const query = form.query.value, mine = ++asked;
  found.hidden = !query;
  tree.hidden = Boolean(query);
  if (!query) return;
  body.dispatchEvent(new CustomEvent("inside:wanted"));
  const asking = new URLSearchParams({ path: state.folder || "/blaxel", query, in: form.in.value });
  if (state.hidden) asking.set("hidden", "true");
  const response = await fetch(`${form.action}?${asking}`);
  const told = await response.json();
  if (mine !== asked) return;
  if (!response.ok) found.replaceChildren(note(told.error));
  else found.replaceChildren(...told.matches.map(line), ...(told.more ? [note("There are more matches. Narrow the search.")] : []), ...(told.matches.length ? [] : [note("Nothing found")]));
};
export const find = () => {
  body.dispatchEvent(new CustomEvent("pane:show", { detail: { pane: "files" } }));
  form.in.value = "contents";
  form.query.focus();
  form.query.select();
};

export const listen = () => {
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 250); });
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
};
