// Runs before the first paint: the panes are as they were left, without a jump, and nothing is known
// of the sandbox yet.
(() => {
  const root = document.documentElement;
  const kept = (name) => localStorage.getItem(name);

  for (const pane of ["files", "dock", "preview"]) {
    const size = Number(kept(`size-${pane}`));
    if (size) root.style.setProperty(`--${pane}-size`, `${size}px`);
  }
  if (kept("hidden-panes")) root.dataset.hidden = kept("hidden-panes");
  root.dataset.dock = kept("dock-tab") || "terminal";
  root.dataset.shown = kept("shown-pane") || "preview";
  root.dataset.inside = "off";
})();
