// What is done to files: new, rename, move, delete with undo, download; by menu, key and drag.
(() => {
  const { body } = document;
  const pane = document.getElementById("files");
  const files = window.mantaFiles;
  if (!pane) return;
  const tree = document.getElementById("files-tree");
  const menu = document.getElementById("files-menu");
  const dialog = document.getElementById("files-dialog");
  const wanted = () => body.dispatchEvent(new CustomEvent("inside:wanted"));

  files.say = (text, undo) => {
    const notice = document.getElementById("files-notice").content.firstElementChild.cloneNode(true);
    notice.querySelector("p").textContent = text;
    const button = notice.querySelector("button");
    button.hidden = !undo;
    button.onclick = () => { notice.remove(); undo(); };
    if (!undo) notice.classList.add("notice-error");
    document.getElementById("notices").append(notice);
    setTimeout(() => notice.matches(":hover, :focus-within") || notice.remove(), 15000);
  };

  const call = async (method, route, sent) => {
    const headers = { ...JSON.parse(body.getAttribute("hx-headers")), "Content-Type": "application/json" };
    const response = await fetch(pane.dataset.api + route, { method, headers, body: sent && JSON.stringify(sent) });
    const told = await response.json();
    if (!response.ok) throw Object.assign(new Error(told.error), { code: told.code });
    return told;
  };
  const attempt = async (work) => {
    wanted();
    try { await work(); } catch (error) { files.say(error.message); }
  };

  const ask = (title, value = "") => new Promise((resolve) => {
    const input = dialog.querySelector("input");
    dialog.querySelector("h2").textContent = title;
    input.value = value;
    dialog.returnValue = "";
    dialog.onclose = () => resolve(dialog.returnValue === "ok" && input.value ? input.value : null);
    dialog.showModal();
    const dot = value.lastIndexOf("."), start = value.lastIndexOf("/") + 1;
    input.setSelectionRange(start, dot > start ? dot : value.length);
  });
  dialog.querySelector("[data-cancel]").onclick = () => dialog.close();

  files.target = (entry = files.selected) => {
    if (!entry) return files.folder;
    return entry.dataset.kind === "directory" ? entry.dataset.path : files.parent(entry.dataset.path);
  };
  const join = (folder, name) => `${folder === "/" ? "" : folder}/${name}`;
  const show = async (path) => {
    await files.refresh(files.parent(path));
    const entry = files.row(path);
    if (entry) files.select(entry);
  };
  files.move = (source, destination) => source !== destination && attempt(async () => {
    await call("POST", "/move", { source, destination });
    await files.refresh(files.parent(source));
    await show(destination);
  });

  const actions = {
    open: (entry) => files.activate(entry),
    "new-file": async (entry) => {
      const name = await ask("New file");
      if (name) attempt(async () => {
        const path = join(files.target(entry), name);
        await call("PUT", "", { path, content: "", version: null });
        await show(path);
        body.dispatchEvent(new CustomEvent("files:open", { detail: { path } }));
      });
    },
    "new-folder": async (entry) => {
      const name = await ask("New folder");
      if (name) attempt(async () => {
        await call("POST", "/folder", { path: join(files.target(entry), name) });
        await show(join(files.target(entry), name));
      });
    },
    rename: async (entry) => {
      const name = await ask("Rename", entry.dataset.name);
      if (name) files.move(entry.dataset.path, join(files.parent(entry.dataset.path), name));
    },
    move: async (entry) => {
      const to = await ask("Move to", entry.dataset.path);
      if (to) files.move(entry.dataset.path, to);
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
      const next = entry.nextElementSibling?.closest(".entry") || entry.previousElementSibling;
      const { trashed } = await call("DELETE", `?path=${encodeURIComponent(path)}`);
      entry.remove();
      if (next?.matches(".entry")) files.select(next);
      files.say(`Deleted ${name}.`, () => attempt(async () => {
        await call("POST", "/restore", { trashed });
        await show(path);
      }));
    }),
    hidden: () => {
      files.hidden = !files.hidden;
      localStorage.setItem("files-hidden", files.hidden ? "1" : "0");
      menu.querySelector('[data-does="hidden"]').setAttribute("aria-checked", String(files.hidden));
      files.reload();
    },
    upload: () => document.getElementById("files-picker").click(),
  };
  const FREE = ["new-file", "new-folder", "upload", "hidden"];

  const openMenu = (x, y) => {
    for (const item of menu.children) item.hidden = !files.selected && !FREE.includes(item.dataset.does);
    menu.showPopover();
    menu.style.left = `${Math.min(x, innerWidth - menu.offsetWidth - 8)}px`;
    menu.style.top = `${Math.min(y, innerHeight - menu.offsetHeight - 8)}px`;
    menu.querySelector("button:not([hidden])").focus();
  };
  document.getElementById("pane-files").addEventListener("click", (event) => {
    const button = event.target.closest("[data-does]");
    if (!button) return;
    const name = button.dataset.does, box = button.getBoundingClientRect();
    if (name === "menu") return openMenu(box.left, box.bottom);
    if (menu.matches(":popover-open")) menu.hidePopover();
    if (files.selected || FREE.includes(name)) actions[name](files.selected);
  });
  tree.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const entry = event.target.closest(".entry");
    if (entry) files.select(entry);
    const box = (entry || tree).getBoundingClientRect();
    openMenu(event.clientX || box.left + 24, event.clientY || box.top + 24);
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button:not([hidden])")], at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  });
  menu.addEventListener("toggle", (event) => event.newState === "closed" && document.activeElement === body && files.selected?.focus());
  tree.addEventListener("keydown", (event) => {
    const name = { F2: "rename", Delete: "delete" }[event.key];
    const entry = event.target.closest(".entry");
    if (!name || !entry) return;
    event.preventDefault();
    actions[name](entry);
  });
  menu.querySelector('[data-does="hidden"]').setAttribute("aria-checked", String(files.hidden));
})();
