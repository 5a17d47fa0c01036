// What was asked of a process is shown at its row until it has happened, or has failed.
const { body } = document;
// By name: what is being done, to which run of it, and whether Manta has answered.
const asked = new Map();
const rowOf = (name) => document.querySelector(`#process-list [data-process="${CSS.escape(name)}"]`);
const nameOf = (button) => button.closest("[data-process]").dataset.process;

// Not disabled: whoever pressed a button by keyboard stays at it.
const mark = (row, { doing = "", answered = false } = {}) => {
  row.ariaBusy = doing ? "true" : null;
  row.querySelector(".process-doing").textContent = doing && `${doing}…`;
  for (const button of row.querySelectorAll("[data-doing]")) {
    // What takes its time to stop can still be killed.
    const waits = doing && (!answered || button.dataset.doing === doing);
    button.ariaDisabled = waits ? "true" : null;
  }
};
const show = () => {
  for (const [name, { run, answered }] of asked) {
    const row = rowOf(name);
    if (answered && row?.dataset.run !== run) asked.delete(name);
    if (row) mark(row, asked.get(name));
  }
};

const answer = (name, begun, succeeded) => {
  begun.answered = true;
  if (succeeded) return show();
  asked.delete(name);
  if (rowOf(name)) mark(rowOf(name));
};

body.addEventListener("htmx:confirm", (event) => {
  if (event.target.ariaDisabled === "true") event.preventDefault();
});
body.addEventListener("htmx:beforeRequest", ({ target: button }) => {
  const { doing } = button.dataset;
  if (!doing) return;
  const name = nameOf(button);
  const begun = { doing, run: rowOf(name).dataset.run, answered: false };
  asked.set(name, begun);
  show();
  // Heard of the button itself: news of the list may have replaced it meanwhile.
  button.addEventListener("htmx:afterRequest", ({ detail }) => answer(name, begun, detail.successful), { once: true });
});
body.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "process-list") show();
});
