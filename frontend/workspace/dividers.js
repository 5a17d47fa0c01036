// Dividers resize the pane that they name: with the pointer, or with the arrow keys.
const STEP = 24;
const { body, documentElement: root } = document;
const sizeOf = (divider) => {
  const box = document.getElementById(divider.getAttribute("aria-controls")).getBoundingClientRect();
  return isVertical(divider) ? box.width : box.height;
};
const isVertical = (divider) => divider.getAttribute("aria-orientation") === "vertical";
// Only the files lie before their divider.
const direction = (divider) => (divider.dataset.resizes === "files" ? 1 : -1);
const whole = (divider) => {
  const box = divider.closest(".panes").getBoundingClientRect();
  return isVertical(divider) ? box.width : box.height;
};

const tell = (divider) => {
  const share = Math.round((100 * sizeOf(divider)) / whole(divider));
  divider.setAttribute("aria-valuenow", String(share));
};
const resize = (divider, size) => {
  const name = divider.dataset.resizes;
  root.style.setProperty(`--${name}-size`, `${Math.max(1, size)}px`);
  // What it has become, within what is allowed.
  localStorage.setItem(`size-${name}`, String(Math.round(sizeOf(divider))));
  tell(divider);
};
const reset = (divider) => {
  root.style.removeProperty(`--${divider.dataset.resizes}-size`);
  localStorage.removeItem(`size-${divider.dataset.resizes}`);
  tell(divider);
};

body.addEventListener("pointerdown", (event) => {
  const divider = event.target.closest(".divider");
  if (!divider || event.button) return;
  event.preventDefault();
  const at = (moved) => (isVertical(divider) ? moved.clientX : moved.clientY);
  const start = at(event);
  const size = sizeOf(divider);
  const move = (moved) => resize(divider, size + direction(divider) * (at(moved) - start));
  const stop = () => {
    divider.removeEventListener("pointermove", move);
    delete root.dataset.dragging;
    delete divider.dataset.dragged;
  };
  divider.setPointerCapture(event.pointerId);
  root.dataset.dragging = "";
  divider.dataset.dragged = "";
  divider.addEventListener("pointermove", move);
  divider.addEventListener("lostpointercapture", stop, { once: true });
});
body.addEventListener("dblclick", (event) => {
  const divider = event.target.closest(".divider");
  if (divider) reset(divider);
});
body.addEventListener("keydown", (event) => {
  const divider = event.target.closest?.(".divider");
  if (!divider) return;
  const [less, more] = isVertical(divider) ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const step = { [less]: -STEP, [more]: STEP }[event.key];
  const size = { Home: 1, End: whole(divider) }[event.key];
  if (step) resize(divider, sizeOf(divider) + direction(divider) * step);
  else if (size) resize(divider, size);
  else if (event.key === "Enter") reset(divider);
  else return;
  event.preventDefault();
});
htmx.onLoad(() => document.querySelectorAll(".divider").forEach(tell));
