// What changes in the sandbox, while it changes. Only the lines it is about are asked for: a
// folder may have thousands.
import { parent } from "./paths.js";
import { lines, listOf, refresh, reload, row, select, state } from "./tree.js";

const MOST = 50;
const AGAIN_MS = 400;
const waiting = new Map();
const busy = new Set();

const drop = (old) => {
  const near = old.nextElementSibling?.closest(".entry") || old.previousElementSibling?.closest(".entry");
  const isFocused = old.contains(document.activeElement);
  const isSelected = old.contains(state.selected);
  old.remove();
  if (isSelected) select(near || null, isFocused);
};
// A line's place is before the line that follows it, in the answer as in the tree.
const place = (list, names, content) => {
  const fresh = new Map([...content.querySelectorAll(".entry")].map((each) => [each.dataset.name, each]));
  const shown = new Map([...list.querySelectorAll(":scope > .entry")].map((each) => [each.dataset.name, each]));
  for (const name of names) {
    const old = shown.get(name);
    if (!old || old.dataset.kind === fresh.get(name)?.dataset.kind) continue;
    drop(old);
    shown.delete(name);
  }
  const isWhole = !list.querySelector(":scope > [data-more]");
  for (const line of [...fresh.values()].reverse()) {
    const after = line.nextElementSibling?.dataset.name;
    if (shown.has(line.dataset.name) || !names.includes(line.dataset.name)) continue;
    const next = shown.get(after);
    if (next) next.before(line);
    else if (isWhole && !after) list.append(line);
    else continue;
    shown.set(line.dataset.name, line);
  }
};
const renewNames = async (folder, names) => {
  const list = listOf(folder);
  if (!list) return;
  if (names.length <= MOST && list.querySelector(":scope > .entry")) {
    const [, content] = await lines(folder, names.map((name) => ["name", name]));
    place(list, names, content);
  }
  if (names.length > MOST || !list.querySelector(":scope > .entry")) await refresh(folder);
};
export const renew = (path) => renewNames(parent(path), [path.split("/").pop()]);

// One question of a folder at a time; what comes meanwhile is asked together.
const ask = async (folder) => {
  if (busy.has(folder)) return;
  busy.add(folder);
  const names = [...waiting.get(folder)];
  waiting.delete(folder);
  await renewNames(folder, names).catch(() => {});
  setTimeout(() => {
    busy.delete(folder);
    if (waiting.has(folder)) ask(folder);
  }, AGAIN_MS);
};

export const listen = () => {
  document.body.addEventListener("files:changed", ({ detail }) => {
    if (detail.many) return reload();
    for (const { path, kind } of detail.changes) {
      const folder = parent(path);
      const isShown = folder === state.folder || row(folder)?.getAttribute("aria-expanded") === "true";
      // A line says nothing of what is in its file.
      if (!isShown || (kind === "changed" && row(path))) continue;
      if (!waiting.has(folder)) waiting.set(folder, new Set());
      waiting.get(folder).add(path.split("/").pop());
    }
    for (const folder of waiting.keys()) ask(folder);
  });
};
