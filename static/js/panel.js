// The Play button opens and closes the sandbox panel. Without this, it is a form that leads to
// the panel's own page.
(() => {
  const root = document.documentElement;
  const panel = document.getElementById("sandbox-panel");
  const play = document.getElementById("play");
  if (!panel || !play) return;

  const covers = window.matchMedia("(max-width: 799px)");
  const behind = document.querySelectorAll("[data-behind-panel]");
  const isOpen = () => root.dataset.panel === "open";

  const sync = () => {
    play.setAttribute("aria-expanded", String(isOpen()));
    for (const element of behind) element.inert = isOpen() && covers.matches;
  };

  const open = () => {
    root.dataset.panel = "open";
    localStorage.setItem("panel", "open");
    sync();
    panel.focus();
  };

  const close = () => {
    const hadFocus = panel.contains(document.activeElement) || covers.matches;
    delete root.dataset.panel;
    localStorage.setItem("panel", "closed");
    sync();
    if (hadFocus) play.focus();
  };

  play.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isOpen()) close();
    else open();
  });
  document.getElementById("panel-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    // An open menu takes Escape first.
    if (event.key !== "Escape" || !isOpen() || document.querySelector(":popover-open")) return;
    close();
    play.focus();
  });
  covers.addEventListener("change", sync);
  sync();
})();
