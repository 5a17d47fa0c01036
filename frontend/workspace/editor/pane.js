// The editor pane: which files are open, which one is shown, and what is said about it.
import { attention } from "../attention.js";
import { mayClose } from "./closing.js";
import * as drafts from "./drafts.js";
import { OpenFile } from "./file.js";
import { followNews } from "./news.js";
import { showStatus } from "./status.js";
import * as tabs from "./tabs.js";

const { body, documentElement: root } = document;
const files = [];
let current = null;
let panels = 0;

const pane = () => document.getElementById("editor");
const remembered = () => `open-files ${pane().dataset.owner}`;
const tell = (name, detail) => body.dispatchEvent(new CustomEvent(name, { detail }));

const remember = () => {
  const open = { paths: files.map((file) => file.path), current: current?.path };
  localStorage.setItem(remembered(), JSON.stringify(open));
};

const draw = () => {
  if (!pane()) return;
  tabs.draw(files, current);
  for (const file of files) file.panel.hidden = file !== current;
  showStatus(pane(), current);
};

let drawing = false;
const drawSoon = () => {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
};

const add = (path) => {
  const known = files.find((file) => file.path === path);
  if (known) return known;
  const panel = document.createElement("div");
  panels += 1;
  Object.assign(panel, { id: `editor-file-${panels}`, className: "editor-file", hidden: true });
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", `tab-of-${panel.id}`);
  pane().querySelector(".editor-files").append(panel);
  const file = new OpenFile(path, panel, drawSoon);
  files.push(file);
  return file;
};

// Somebody did something: that may wake the sandbox. At the first look nobody has.
const show = async (file, { wakes = true, focus = "text", line } = {}) => {
  const isStillHere = attention();
  current = file;
  remember();
  draw();
  if (focus === "tab") file.tab.focus();
  if (wakes) tell("inside:wanted");
  await file.open({ wakes });
  draw();
  if (file !== current || !file.editor) return;
  if (line) file.editor.goTo(line);
  else if (wakes && focus === "text" && isStillHere()) file.editor.focus();
};

const close = async (file) => {
  if (file.dirty && !(await mayClose(file))) return;
  const next = files[files.indexOf(file) + 1] ?? files[files.indexOf(file) - 1];
  files.splice(files.indexOf(file), 1);
  file.close();
  if (file !== current) {
    remember();
    draw();
  } else if (next) show(next, { focus: "tab" });
  else {
    current = null;
    remember();
    draw();
    document.getElementById("pane-editor").focus({ preventScroll: true });
  }
};

const act = (does) => {
  document.getElementById("editor-menu").hidePopover();
  if (does === "close") close(current);
  else if (does === "save") current.save();
  else current.editor?.[does]();
};

const mount = async () => {
  // The panes may have been replaced: what was typed comes back as a draft.
  for (const file of files.splice(0)) {
    if (file.dirty) file.saving.writeDraft();
    file.close();
  }
  current = null;
  const { paths = [], current: shown } = JSON.parse(localStorage.getItem(remembered()) || "{}");
  const kept = await drafts.paths().catch(() => []);
  for (const path of new Set([...paths, ...kept])) add(path);
  const first = files.find((file) => file.path === (shown ?? kept[0]));
  if (first) await show(first, { wakes: root.dataset.inside === "open", focus: "" });
  draw();
};

const wrap = () => {
  const on = localStorage.getItem("wordWrap") === "on";
  for (const file of files) if (file.editor) file.editor.wrap = on;
};

body.addEventListener("files:open", ({ detail }) => {
  tell("pane:show", { pane: "editor" });
  show(add(detail.path), detail);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) files.filter((file) => file.dirty).forEach((file) => file.saving.writeDraft());
});

// A draft comes back by itself; what could not be kept is worth a question.
window.addEventListener("beforeunload", (event) => {
  if (files.some((file) => file.dirty && file.saving.isAtRisk)) event.preventDefault();
});

body.addEventListener("click", (event) => {
  const does = event.target.closest("[data-editor-does]")?.dataset.editorDoes;
  if (does && current) act(does);
  const opens = event.target.closest("[data-opens-file]")?.dataset.opensFile;
  if (opens) tell("files:open", { path: opens });
  if (event.target.closest("#editor [data-wake]")) current?.load();
});
// In a text the commands leave Alt to the keyboard's own signs.
document.addEventListener("keydown", (event) => {
  const saves = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
  const closes = event.altKey && event.code === "KeyW";
  if (event.defaultPrevented || !current || !(saves || closes)) return;
  event.preventDefault();
  act(saves ? "save" : "close");
});
body.addEventListener("setting:changed", wrap);

tabs.listen(files, { show, close });
followNews(files, {
  front: () => current,
  moved: () => {
    remember();
    draw();
  },
});
htmx.onLoad((content) => {
  if (!pane() || (content !== body && !content.contains(pane()))) return;
  mount();
});
