// Dragging: a line to another folder, and files and folders from elsewhere.
import { move } from "./actions.js";
import { say } from "./dialogs.js";
import { join } from "./paths.js";
import { known } from "./tree.js";
import { upload, uploadEmpty } from "./uploads.js";

const pane = document.getElementById("files");
const tree = document.getElementById("files-tree");

const walk = async (entry, folder, above = "") => {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return upload(folder, above + entry.name, file);
  }
  const reader = entry.createReader();
  for (let isEmpty = true; ; isEmpty = false) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return isEmpty ? uploadEmpty(folder, above + entry.name) : null;
    for (const each of some) await take(each, folder, `${above}${entry.name}/`);
  }
};
// One that can't be read keeps none of the others.
const take = (entry, folder, above) =>
  walk(entry, folder, above).catch((error) => say(`${entry.name} can’t be read: ${error.message}`));

let dragged = null;
const unmark = () => pane.querySelectorAll(".dropping").forEach((each) => each.classList.remove("dropping"));
const over = (event) => {
  const entry = event.target.closest?.(".entry");
  return entry?.dataset.kind === "directory" ? entry : entry?.parentElement.closest(".entry") || tree;
};

export const listen = () => {
  tree.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".entry");
    event.dataTransfer.setData("text/plain", dragged.dataset.path);
    event.dataTransfer.effectAllowed = "move";
  });
  tree.addEventListener("dragend", () => { dragged = null; unmark(); });
  pane.addEventListener("dragover", (event) => {
    if (!dragged && !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    unmark();
    over(event).classList.add("dropping");
  });
  pane.addEventListener("dragleave", unmark);
  pane.addEventListener("drop", async (event) => {
    if (!dragged && !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    unmark();
    // Both are gone once the event is over.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const { path, name } = dragged?.dataset ?? {};
    document.body.dispatchEvent(new CustomEvent("inside:wanted"));
    const folder = over(event).dataset.path || await known();
    if (!folder) return;
    if (path) return move(path, join(folder, name));
    for (const entry of entries) take(entry, folder);
  });
};
