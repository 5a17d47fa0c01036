// A disclosure that was open stays open when htmx brings its surroundings anew.
(() => {
  const open = new Set();

  document.addEventListener(
    "toggle",
    (event) => {
      const { id, open: isOpen, isConnected } = event.target;
      if (!id || !isConnected || event.target.tagName !== "DETAILS") return;
      if (isOpen) open.add(id);
      else open.delete(id);
    },
    true,
  );
  // Before the settling, in which htmx gives the focus back: what is closed can't take it.
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
})();
