// The tree: loads folders as they open, a page of lines at a time, and keeps what is shown.
const { body, documentElement: root } = document;
const pane = document.getElementById("files");
const tree = document.getElementById("files-tree");
const problem = document.getElementById("files-problem");
const crumbs = document.getElementById("files-crumbs");
const expanded = new Set(JSON.parse(localStorage.getItem("files-expanded") || "[]"));
// What is selected, which folder is shown, and whether hidden files are.
export const state = { selected: null, folder: "", hidden: localStorage.getItem("files-hidden") === "1" };

export const row = (path) => tree.querySelector(`.entry[data-path="${CSS.escape(path)}"]`);
export const listOf = (path) => (path === state.folder ? tree : row(path)?.querySelector(":scope > ul"));
const remember = () => localStorage.setItem("files-expanded", JSON.stringify([...expanded].slice(-200)));

export const select = (entry, focus = true) => {
  state.selected?.setAttribute("aria-selected", "false");
  if (state.selected) state.selected.tabIndex = -1;
  state.selected = entry;
  if (!entry) return;
  entry.setAttribute("aria-selected", "true");
  entry.tabIndex = 0;
  if (focus) entry.focus({ preventScroll: false });
};

export const lines = async (path, asked) => {
  const query = new URLSearchParams(asked);
  if (path) query.set("path", path);
  if (state.hidden) query.set("hidden", "1");
  const response = await fetch(`${pane.dataset.tree}?${query}`, { headers: { "HX-Request": "true" } });
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const told = holder.content.querySelector("[data-folder]");
  if (!response.ok || !told) throw new Error(holder.content.querySelector("p")?.textContent || "The folder can’t be read.");
  return [told.dataset.folder, holder.content];
};

// The next page, when the end of the last one comes into view. Not by htmx, which handles line
// after line, for seconds.
const watcher = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) reveal(target);
});
const watch = (list) => {
  const note = list.querySelector(":scope > [data-more]");
  if (note) watcher.observe(note);
};
const reveal = async (note) => {
  watcher.unobserve(note);
  const response = await fetch(note.dataset.more, { headers: { "HX-Request": "true" } }).catch(() => null);
  const list = note.parentElement, holder = document.createElement("template");
  if (!list) return;
  if (!response?.ok) return void (note.textContent = "The rest can’t be read. Open the folder again.");
  holder.innerHTML = await response.text();
  note.replaceWith(holder.content);
  watch(list);
};

const note = (text) => {
  const line = Object.assign(document.createElement("li"), { className: "entry-note", textContent: text });
  line.setAttribute("role", "none");
  return line;
};

// New lines; what was open below stays as it is, and so do focus and selection.
const fill = async (path) => {
  let list = path ? listOf(path) : tree;
  if (!list) return;
  let content;
  try {
    [path, content] = await lines(path, [["most", list.querySelectorAll(":scope > .entry").length]]);
  } catch (error) {
    if (list === tree) problem.textContent = error.message;
    problem.hidden = list !== tree;
    if (list !== tree && !list.querySelector(".entry")) list.replaceChildren(note(error.message));
    return;
  }
  problem.hidden = true;
  if (list === tree && state.folder !== path) showFolder(path);
  const focused = document.activeElement?.closest?.(".entry")?.dataset.path;
  const chosen = state.selected?.dataset.path;
  const before = new Map([...list.querySelectorAll(":scope > .entry")].map((each) => [each.dataset.path, each]));
  for (const fresh of content.querySelectorAll(".entry")) {
    const old = before.get(fresh.dataset.path);
    if (old && old.dataset.kind === fresh.dataset.kind) fresh.replaceWith(old);
  }
  list.replaceChildren(content);
  watch(list);
  const again = chosen && row(chosen);
  if (chosen && !again) select(null);
  if (again) select(again, focused === chosen && document.activeElement !== again);
  else if (focused && !row(focused)) select(list.querySelector(".entry"), list.contains(document.activeElement));
  if (!tree.querySelector('[tabindex="0"]')) tree.querySelector(".entry")?.setAttribute("tabindex", "0");
  for (const each of list.querySelectorAll(':scope > .entry[aria-expanded="false"]')) {
    if (expanded.has(each.dataset.path)) open(each);
  }
};

export const open = (entry) => {
  entry.setAttribute("aria-expanded", "true");
  const below = entry.querySelector(":scope > ul");
  below.hidden = false;
  below.style.setProperty("--depth", entry.dataset.path.slice(state.folder.length).split("/").filter(Boolean).length);
  expanded.add(entry.dataset.path);
  remember();
  return fill(entry.dataset.path);
};
export const close = (entry) => {
  entry.setAttribute("aria-expanded", "false");
  entry.querySelector(":scope > ul").hidden = true;
  expanded.delete(entry.dataset.path);
  remember();
};
export const activate = (entry) => {
  if (entry.dataset.kind !== "directory") body.dispatchEvent(new CustomEvent("files:open", { detail: { path: entry.dataset.path } }));
  else if (entry.getAttribute("aria-expanded") === "true") close(entry);
  else open(entry);
};

const showFolder = (path) => {
  state.folder = path;
  const parts = path.split("/").filter(Boolean);
  const all = [["/", "/"], ...parts.map((name, at) => [name, `/${parts.slice(0, at + 1).join("/")}`])];
  crumbs.replaceChildren(...all.map(([name, to]) => Object.assign(document.createElement("button"), { type: "button", textContent: name === "/" ? "/" : `${name}/`, value: to })));
};
// Where the tree begins, which the sandbox says: empty when it can't be read.
export const known = async () => {
  if (!state.folder) await fill("");
  return state.folder;
};
export const refresh = (...paths) => Promise.all([...new Set(paths)].map(fill));
export const reload = () => refresh(state.folder, ...[...tree.querySelectorAll('.entry[aria-expanded="true"]')].map((each) => each.dataset.path));

export const listen = () => {
  crumbs.addEventListener("click", (event) => {
    if (!event.target.value) return;
    body.dispatchEvent(new CustomEvent("inside:wanted"));
    showFolder(event.target.value);
    tree.replaceChildren();
    fill(event.target.value);
  });
  tree.addEventListener("pointerover", (event) => {
    const name = event.target.closest(".entry-name");
    if (name) name.title = name.scrollWidth > name.clientWidth ? name.textContent : "";
  });
  const follow = () => root.dataset.inside === "open" && reload();
  body.addEventListener("inside:state", follow);
  follow();
};
