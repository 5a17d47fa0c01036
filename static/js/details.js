// A disclosure that was open stays open when htmx brings its surroundings anew, and what had the
// focus in it has it again.
(() => {
  const open = new Set();
  let focused = "";

  // Not "toggle": it comes later, and not at all to what was replaced meanwhile.
  document.addEventListener("click", (event) => {
    const details = event.target.closest("summary")?.parentElement;
    if (!details?.id) return;
    if (details.open) open.delete(details.id);
    else open.add(details.id);
  });
  document.body.addEventListener("htmx:beforeSwap", () => {
    const element = document.activeElement;
    focused = element?.closest("details") ? element.id : "";
  });
  // htmx itself has tried to give the focus back: too early for what is in a closed disclosure.
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused && document.activeElement === document.body) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  });
})();
