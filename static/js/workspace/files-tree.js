// The tree: loads folders as they open, follows the keyboard, and what others change.
(() => {
  const { body, documentElement: root } = document;
  const pane = document.getElementById("files");
  if (!pane) return;
  const tree = document.getElementById("files-tree");
  const problem = document.getElementById("files-problem");
  const crumbs = document.getElementById("files-crumbs");
  const expanded = new Set(JSON.parse(localStorage.getItem("files-expanded") || "[]"));
  const files = (window.mantaFiles = { selected: null, folder: "", hidden: localStorage.getItem("files-hidden") === "1" });

  const rows = () => [...tree.querySelectorAll(".entry")].filter((row) => !row.closest("ul[hidden]"));
  const row = (path) => tree.querySelector(`.entry[data-path="${CSS.escape(path)}"]`);
  const listOf = (path) => (path === files.folder ? tree : row(path)?.querySelector(":scope > ul"));
  const remember = () => localStorage.setItem("files-expanded", JSON.stringify([...expanded].slice(-200)));

  const select = (entry, focus = true) => {
    files.selected?.setAttribute("aria-selected", "false");
    if (files.selected) files.selected.tabIndex = -1;
    files.selected = entry;
    if (!entry) return;
    entry.setAttribute("aria-selected", "true");
    entry.tabIndex = 0;
    if (focus) entry.focus({ preventScroll: false });
  };

  const lines = async (path, most) => {
    const query = new URLSearchParams({ most });
    if (path) query.set("path", path);
    if (files.hidden) query.set("hidden", "1");
    const response = await fetch(`${pane.dataset.tree}?${query}`, { headers: { "HX-Request": "true" } });
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    const told = holder.content.querySelector("[data-folder]");
    if (!response.ok || !told) throw new Error(holder.content.textContent.trim() || "The folder can’t be read.");
    return [told.dataset.folder, holder.content];
  };

  // New lines; what was open below stays as it is, and so do focus and selection.
  const fill = async (path) => {
    let list = path ? listOf(path) : tree;
    if (!list) return;
    let content;
    try {
      [path, content] = await lines(path, list.querySelectorAll(":scope > .entry").length);
    } catch (error) {
      if (list === tree) problem.textContent = error.message;
      problem.hidden = list !== tree;
      return;
    }
    problem.hidden = true;
    if (list === tree && files.folder !== path) showFolder(path);
    const focused = document.activeElement?.closest?.(".entry")?.dataset.path;
    const chosen = files.selected?.dataset.path;
    const before = new Map([...list.querySelectorAll(":scope > .entry")].map((each) => [each.dataset.path, each]));
    for (const fresh of content.querySelectorAll(".entry")) {
      const old = before.get(fresh.dataset.path);
      if (old && old.dataset.kind === fresh.dataset.kind) fresh.replaceWith(old);
    }
    list.replaceChildren(content);
    htmx.process(list);
    const again = chosen && row(chosen);
    if (chosen && !again) select(null);
    if (again) select(again, focused === chosen && document.activeElement !== again);
    else if (focused && !row(focused)) select(list.querySelector(".entry"), list.contains(document.activeElement));
    if (!tree.querySelector('[tabindex="0"]')) tree.querySelector(".entry")?.setAttribute("tabindex", "0");
    for (const each of list.querySelectorAll(':scope > .entry[aria-expanded="false"]')) {
      if (expanded.has(each.dataset.path)) open(each);
    }
  };

  const open = (entry) => {
    entry.setAttribute("aria-expanded", "true");
    entry.querySelector(":scope > ul").hidden = false;
    expanded.add(entry.dataset.path);
    remember();
    return fill(entry.dataset.path);
  };
  const close = (entry) => {
    entry.setAttribute("aria-expanded", "false");
    entry.querySelector(":scope > ul").hidden = true;
    expanded.delete(entry.dataset.path);
    remember();
  };
  files.activate = (entry) => {
    if (entry.dataset.kind !== "directory") body.dispatchEvent(new CustomEvent("files:open", { detail: { path: entry.dataset.path } }));
    else if (entry.getAttribute("aria-expanded") === "true") close(entry);
    else open(entry);
  };

  const showFolder = (path) => {
    files.folder = path;
    const parts = path.split("/").filter(Boolean);
    const all = [["/", "/"], ...parts.map((name, at) => [name, `/${parts.slice(0, at + 1).join("/")}`])];
    crumbs.replaceChildren(...all.map(([name, to]) => Object.assign(document.createElement("button"), { type: "button", textContent: name === "/" ? "/" : `${name}/`, value: to })));
  };
  crumbs.addEventListener("click", (event) => {
    if (!event.target.value) return;
    body.dispatchEvent(new CustomEvent("inside:wanted"));
    showFolder(event.target.value);
    tree.replaceChildren();
    fill(event.target.value);
  });

  files.parent = (path) => path.slice(0, path.lastIndexOf("/")) || "/";
  files.refresh = (...paths) => Promise.all([...new Set(paths)].map(fill));
  files.reload = () => fill(files.folder);
  files.select = select;
  files.row = row;

  tree.addEventListener("click", (event) => {
    const entry = event.target.closest(".entry");
    if (!entry) return;
    body.dispatchEvent(new CustomEvent("inside:wanted"));
    select(entry);
    files.activate(entry);
  });
  tree.addEventListener("focusin", (event) => {
    const entry = event.target.closest(".entry");
    if (entry && entry !== files.selected) select(entry, false);
  });
  let typed = "", typedAt = 0;
  tree.addEventListener("keydown", (event) => {
    const entry = event.target.closest(".entry");
    if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = rows(), at = all.indexOf(entry), isOpen = entry.getAttribute("aria-expanded");
    const moves = { ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all.at(-1) };
    if (event.key in moves) select(moves[event.key] || entry);
    else if (event.key === "ArrowRight") isOpen === "true" ? select(all[at + 1] || entry) : isOpen && open(entry);
    else if (event.key === "ArrowLeft") isOpen === "true" ? close(entry) : select(entry.parentElement.closest(".entry") || entry);
    else if (event.key === "Enter" || event.key === " ") files.activate(entry);
    else if (event.key.length === 1) {
      typed = event.timeStamp - typedAt < 700 ? typed + event.key : event.key;
      typedAt = event.timeStamp;
      const found = [...all.slice(at + (typed.length === 1)), ...all].find((each) => each.dataset.name.toLowerCase().startsWith(typed.toLowerCase()));
      if (found) select(found);
    } else return;
    event.preventDefault();
  });

  body.addEventListener("files:changed", (event) => {
    const changed = event.detail.changes.map((each) => files.parent(each.path));
    files.refresh(...changed.filter((path) => path === files.folder || row(path)?.getAttribute("aria-expanded") === "true"));
  });
  const follow = () => root.dataset.inside === "open" && fill(files.folder);
  body.addEventListener("inside:state", follow);
  follow();
})();
