// What is done to files: new, rename, move, delete with undo or for good, download.
import { ask, confirm, offer, say } from "./dialogs.js";
import { renew } from "./news.js";
import { join, parent } from "./paths.js";
import { find } from "./search.js";
import { activate, known, reload, row, select, state } from "./tree.js";

const { body } = document;
const pane = document.getElementById("files");
const wanted = () => body.dispatchEvent(new CustomEvent("inside:wanted"));

const call = async (method, route, sent) => {
  const headers = { ...JSON.parse(body.getAttribute("hx-headers")), "Content-Type": "application/json" };
  const response = await fetch(pane.dataset.api + route, { method, headers, body: sent && JSON.stringify(sent) });
  const told = await response.json();
  if (told.code === "csrf_failed") body.dispatchEvent(new CustomEvent("page:outdated"));
  if (!response.ok) throw Object.assign(new Error(told.error), { code: told.code });
  return told;
};
const attempt = async (work) => {
  wanted();
  try { if (await known()) await work(); } catch (error) {
    // What is the matter with the page is said once for all of it.
    if (error.code !== "csrf_failed") say(error.message);
  }
};

export const target = (entry = state.selected) => {
  if (!entry) return state.folder;
  return entry.dataset.kind === "directory" ? entry.dataset.path : parent(entry.dataset.path);
};
const show = async (path) => {
  await renew(path);
  const entry = row(path);
  if (entry) select(entry);
  entry?.scrollIntoView({ block: "nearest" });
};
export const move = (source, destination) => source !== destination && attempt(async () => {
  await call("POST", "/move", { source, destination });
  await renew(source);
  await show(destination);
});

const remove = async (entry, how = "") => {
  const told = await call("DELETE", `?path=${encodeURIComponent(entry.dataset.path)}${how}`);
  if (!entry.isConnected) return told;
  const next = entry.nextElementSibling?.closest(".entry") || entry.previousElementSibling?.closest(".entry");
  const above = entry.parentElement.closest(".entry");
  entry.remove();
  select(next || above);
  return told;
};

// Where its folder is gone, or something took its place, it can still be put elsewhere.
const restore = (trashed, path, how = {}) => attempt(async () => {
  try {
    const told = await call("POST", "/restore", { trashed, ...how });
    await show(told.path);
  } catch (error) {
    const choices = { folder_not_found: ["folder", "elsewhere"], file_exists: ["elsewhere"] }[error.code];
    if (!choices) throw error;
    const all = {
      folder: ["Restore its folder, too", () => restore(trashed, path, { ...how, makeFolders: true })],
      elsewhere: ["Restore elsewhere…", async () => {
        const destination = await ask("Restore as", how.destination || path);
        if (destination) restore(trashed, destination, { destination });
      }],
    };
    offer(error.message, choices.map((choice) => all[choice]));
  }
});

export const actions = {
  open: activate,
  "new-file": async (entry) => {
    const name = await ask("New file");
    if (name) attempt(async () => {
      const path = join(target(entry), name);
      await call("PUT", "", { path, content: "", version: null });
      await show(path);
      body.dispatchEvent(new CustomEvent("files:open", { detail: { path } }));
    });
  },
  "new-folder": async (entry) => {
    const name = await ask("New folder");
    if (name) attempt(async () => {
      await call("POST", "/folder", { path: join(target(entry), name) });
      await show(join(target(entry), name));
    });
  },
  rename: async (entry) => {
    const name = await ask("Rename", entry.dataset.name);
    if (name) move(entry.dataset.path, join(parent(entry.dataset.path), name));
  },
  move: async (entry) => {
    const to = await ask("Move to", entry.dataset.path);
    if (to) move(entry.dataset.path, to);
  },
  download: (entry) => {
    const kind = entry.dataset.kind === "directory" ? "archive" : "content";
    const link = document.createElement("a");
    link.href = `${pane.dataset.api}/${kind}?path=${encodeURIComponent(entry.dataset.path)}`;
    link.download = "";
    link.click();
  },
  delete: (entry) => attempt(async () => {
    const { path, name } = entry.dataset;
    const { trashed } = await remove(entry);
    say(`Deleted ${name}.`, () => restore(trashed, path));
  }),
  "delete-for-good": async (entry) => {
    if (await confirm(entry.dataset.name)) attempt(() => remove(entry, "&forever=true"));
  },
  hidden: () => {
    state.hidden = !state.hidden;
    localStorage.setItem("files-hidden", state.hidden ? "1" : "0");
    reload();
  },
  upload: () => document.getElementById("files-picker").click(),
  find,
};
