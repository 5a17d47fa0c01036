// The list of processes: asked for anew when something else changed than how busy they are; and the
// form that starts one.
const { body } = document;
const MIB = 2 ** 20;
const list = () => document.getElementById("process-list");
const form = () => document.getElementById("process-form");
let latest = [];
let held = null;

const show = () => {
  for (const { name, cpu, memory } of latest) {
    const load = list()?.querySelector(`[data-process="${CSS.escape(name)}"] [data-load]`);
    if (load) load.textContent = memory === null ? "" : `${cpu ?? 0}% CPU, ${Math.round(memory / MIB)} MB`;
  }
};
body.addEventListener("processes:changed", ({ detail }) => {
  latest = detail.processes;
  if (!list()) return;
  // Kept where the list is: one that comes anew is empty, whatever was known before.
  if (detail.version !== list().dataset.version) htmx.trigger(list(), "processes:refresh");
  list().dataset.version = detail.version;
  show();
});

// Whoever acts by keyboard stays at the same process, also when its buttons are other ones now.
const hold = () => {
  const button = document.activeElement?.closest("#process-list button");
  const process = button?.closest("[data-process]").dataset.process;
  held = button && { process, label: button.ariaLabel };
};
const giveBack = () => {
  if (!held || document.activeElement !== body) return;
  const row = list().querySelector(`[data-process="${CSS.escape(held.process)}"]`);
  const buttons = [...(row?.querySelectorAll("button:enabled") ?? [])];
  (buttons.find((each) => each.ariaLabel === held.label) ?? buttons[0])?.focus();
};
const close = () => {
  form().replaceChildren();
  document.getElementById("start-process").focus();
};

body.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (target.id === "process-list") hold();
});
body.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  if (target.id === "process-form") {
    const wrong = form().querySelector("[aria-invalid=true]");
    (wrong ?? form().querySelector("input:not([type=hidden])"))?.focus();
  }
  if (target.id !== "process-list") return;
  show();
  giveBack();
  if (detail.requestConfig?.elt.matches(".process-start")) close();
});
body.addEventListener("click", (event) => {
  if (!event.target.closest("[data-closes-form]")) return;
  event.preventDefault();
  close();
});
body.addEventListener("keydown", ({ key, target }) => {
  if (key === "Escape" && target.closest("#process-form")) close();
});
