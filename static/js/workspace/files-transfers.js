// Dragging: a line to another folder, and files and folders from elsewhere; and their uploads.
(() => {
  const pane = document.getElementById("files");
  const files = window.mantaTree;
  if (!pane) return;
  const tree = document.getElementById("files-tree");
  const list = document.getElementById("files-uploads");
  const picker = document.getElementById("files-picker");
  const AT_ONCE = 3;
  const waiting = [];
  let running = 0;

  const next = () => {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      waiting.shift()().finally(() => { running -= 1; next(); });
    }
  };
  const said = (request) => {
    try { return JSON.parse(request.response); } catch { return {}; }
  };
  const send = (item, path, file, overwrite) => new Promise((resolve) => {
    const request = new XMLHttpRequest(), state = item.querySelector(".upload-state");
    const again = item.querySelector("[data-again]"), bar = item.querySelector("progress");
    let overwrites = overwrite;
    item.querySelector("[data-stop]").onclick = () => { request.abort(); item.remove(); };
    again.hidden = true;
    item.classList.remove("failed");
    again.onclick = () => { waiting.push(() => send(item, path, file, overwrites)); next(); };
    request.upload.onprogress = (event) => {
      bar.value = event.total ? event.loaded / event.total : 1;
      state.textContent = `${Math.round(bar.value * 100)} %`;
    };
    request.onloadend = () => {
      if (request.status === 201) {
        item.remove();
        shown(path);
      } else {
        const told = said(request);
        overwrites ||= told.code === "file_exists";
        again.textContent = told.code === "file_exists" ? "Overwrite" : "Retry";
        again.hidden = false;
        item.classList.add("failed");
        state.textContent = told.error || "The connection was lost.";
      }
      resolve();
    };
    request.open("PUT", `${pane.dataset.api}/content?path=${encodeURIComponent(path)}${overwrite ? "&overwrite=true" : ""}`);
    request.send(file);
  });
  // The nearest folder above it that the tree shows: those below may be new with it.
  const shown = (path) => {
    let at = path;
    while (at !== "/" && !files.listOf(files.parent(at))) at = files.parent(at);
    return files.renew(at).catch(() => {});
  };
  const upload = (folder, name, file) => {
    const item = document.getElementById("files-upload").content.firstElementChild.cloneNode(true);
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const named = item.querySelector(".upload-name");
    named.textContent = named.title = name;
    item.querySelector(".upload-state").textContent = "Waiting";
    let stopped = false;
    item.querySelector("[data-stop]").onclick = () => { stopped = true; item.remove(); };
    list.append(item);
    waiting.push(() => (stopped ? Promise.resolve() : send(item, path, file, false)));
    next();
  };

  const walk = async (entry, folder, above = "") => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return upload(folder, above + entry.name, file);
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return null;
      for (const each of some) await walk(each, folder, `${above}${entry.name}/`);
    }
  };
  picker.addEventListener("change", () => {
    for (const file of picker.files) upload(files.target(), file.name, file);
    picker.value = "";
  });

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
  pane.addEventListener("drop", (event) => {
    if (!dragged && !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    unmark();
    const folder = over(event).dataset.path || files.folder;
    document.body.dispatchEvent(new CustomEvent("inside:wanted"));
    if (dragged) return files.move(dragged.dataset.path, `${folder === "/" ? "" : folder}/${dragged.dataset.name}`);
    for (const item of event.dataTransfer.items) {
      const entry = item.webkitGetAsEntry?.();
      if (entry) walk(entry, folder).catch((error) => files.say(`It can’t be read: ${error.message}`));
    }
  });
})();
