// Runs before the first paint: the saved theme, and a panel left open, appear without a flash.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  root.dataset.theme = localStorage.getItem("theme") || "auto";
  // Below this width the panel covers the page, so there it never opens by itself.
  const wide = window.matchMedia("(min-width: 800px)").matches;
  if (wide && localStorage.getItem("panel") === "open") root.dataset.panel = "open";
})();
