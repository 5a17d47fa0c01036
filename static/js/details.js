// A disclosure that was open stays open when htmx brings its surroundings anew.
(() => {
  const open = new Set();

  // Not "toggle": it comes later, and not at all to what was replaced meanwhile.
  document.addEventListener("click", (event) => {
    const details = event.target.closest("summary")?.parentElement;
    if (!details?.id) return;
    if (details.open) open.delete(details.id);
    else open.add(details.id);
  });
  // Before the settling, in which htmx gives the focus back: what is closed can't take it.
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
})();
