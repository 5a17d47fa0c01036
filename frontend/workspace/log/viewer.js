// The log beside the list of processes: opened from a row, searched, paused, wrapped and downloaded.
import { createLines } from "./lines.js";
import { createOutput } from "./output.js";
import { follow } from "./stream.js";

const { body } = document;
const viewer = () => document.getElementById("process-log");
const part = (what) => viewer().querySelector(`[data-log-${what}]`);
const row = (name) => document.querySelector(`[data-process="${CSS.escape(name)}"]`);
// Which process is shown, under which number; nothing when there is none.
let shown = null;

const count = (found) => {
  part("found").textContent = part("search").value ? `${found} ${found === 1 ? "line" : "lines"}` : "";
};
const mark = (line) => {
  const wanted = part("search").value.toLowerCase();
  const isFound = Boolean(wanted) && line.textContent.toLowerCase().includes(wanted);
  line.toggleAttribute("data-found", isFound);
  line.removeAttribute("data-current");
  return isFound;
};
const search = () => count([...part("lines").querySelectorAll(".log-chunk > div")].filter(mark).length);
const goOn = (step) => {
  const all = [...part("lines").querySelectorAll("[data-found]")];
  const at = all.findIndex((line) => line.hasAttribute("data-current"));
  all[at]?.removeAttribute("data-current");
  const next = all.at(at < 0 && step < 0 ? -1 : (at + step) % all.length);
  next?.setAttribute("data-current", "");
  next?.scrollIntoView({ block: "center" });
};

const current = () => {
  for (const each of document.querySelectorAll("[data-shows-log]")) {
    each.setAttribute("aria-current", String(each.dataset.showsLog === shown?.name));
  }
};
// What can't be shown, above the lines: a note between them may itself leave.
const missing = () => {
  const said = { lost: "", cut: "" };
  const note = (what) => (text) => {
    said[what] = text;
    part("cut").hidden = false;
    part("cut").textContent = `${said.lost} ${said.cut}`.trim();
  };
  return { lost: note("lost"), cut: note("cut") };
};
const open = (name) => {
  close();
  const { from } = viewer().dataset;
  const { lost, cut } = missing();
  const lines = createLines({ element: part("lines"), added: (line) => part("search").value && mark(line), cut });
  const output = createOutput({ module: import("../../libraries/terminal.js"), lines, lost });
  const stream = follow({
    from,
    name,
    hear: output.hear,
    tell: (text) => (part("state").textContent = text),
    runs: () => row(name)?.dataset.status === "running",
  });
  shown = { element: viewer(), name, lines, output, stream, pid: row(name)?.dataset.pid };
  part("name").textContent = name;
  part("download").href = `${from}?${new URLSearchParams({ name })}`;
  viewer().hidden = false;
  current();
  stream.connect();
};
const close = () => {
  shown?.stream.stop();
  shown?.output.reset();
  shown?.lines.clear();
  shown = null;
  part("search").value = part("found").textContent = part("state").textContent = "";
  part("pause").setAttribute("aria-pressed", "false");
  viewer().hidden = part("cut").hidden = true;
  current();
};
const toggle = (button) => {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  return on;
};

body.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const { showsLog, logClose, logPause, logWrap } = button.dataset;
  if (showsLog) open(showsLog);
  if (logPause !== undefined) shown.lines.pause(toggle(button));
  if (logWrap !== undefined) viewer().toggleAttribute("data-wrap", toggle(button));
  if (logClose === undefined) return;
  const from = row(shown.name)?.querySelector("button");
  close();
  from?.focus();
});
body.addEventListener("input", ({ target }) => {
  if (target.matches("[data-log-search]")) search();
});
body.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-log-search]") || event.key !== "Enter") return;
  event.preventDefault();
  goOn(event.shiftKey ? -1 : 1);
});
// Another number under the same name: it was started again, and its log begins anew.
body.addEventListener("htmx:afterSwap", ({ target }) => {
  if (!shown) return;
  if (!shown.element.isConnected) {
    shown.stream.stop();
    shown = null;
  }
  if (target.id !== "process-list" || !shown) return;
  current();
  const { pid } = row(shown.name)?.dataset ?? {};
  if (!pid || pid === shown.pid) return;
  shown.pid = pid;
  shown.output.reset();
  shown.output.note("Started again.");
  shown.stream.fromStart();
});
// Nothing is asked of a sandbox that may sleep.
body.addEventListener("inside:state", ({ detail }) => {
  if (detail.state === "asleep" || detail.state === "off") shown?.stream.stop();
  else if (detail.state === "open") shown?.stream.connect();
});
