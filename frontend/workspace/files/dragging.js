// Dragging: a line to another folder, and files and folders from elsewhere.
(() => {
  const pane = document.getElementById("files");
  const files = window.filesParts;
  if (!pane) return;
  const tree = document.getElementById("files-tree");

  const walk = async (entry, folder, above = "") => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return files.upload(folder, above + entry.name, file);
    }
    const reader = entry.createReader();
    for (let isEmpty = true; ; isEmpty = false) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return isEmpty ? files.uploadEmpty(folder, above + entry.name) : null;
      for (const each of some) await take(each, folder, `${above}${entry.name}/`);
    }
  };
  // One that can't be read keeps none of the others.
  const take = (entry, folder, above) =>
    walk(entry, folder, above).catch((error) => files.say(`${entry.name} can’t be read: ${error.message}`));

  let dragged = null;
  const unmark = () => pane.querySelectorAll(".dropping").forEach((each) => each.classList.remove("dropping"));
  const over = (event) => {
    const entry = event.target.closest?.(".entry");
    return entry?.dataset.kind === "directory" ? entry : entry?.parentElement.closest(".entry") || tree;
  };
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
    const folder = over(event).dataset.path || await files.known();
    if (!folder) return;
    if (path) return files.move(path, `${folder === "/" ? "" : folder}/${name}`);
    for (const entry of entries) take(entry, folder);
  });
})();
