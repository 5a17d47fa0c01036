// Which panes are shown. Anything may ask for one: body hears "pane:show" {pane}.
(() => {
  const { body, documentElement: root } = document;
  const IN_DOCK = ["terminal", "processes", "ports"];
  const phone = window.matchMedia("(max-width: 799px)");
  const pane = (name) => document.getElementById(`pane-${name}`);

  const hidden = () => new Set((root.dataset.hidden || "").split(" ").filter(Boolean));
  const hide = (name, hides) => {
    const names = hidden();
    if (hides) names.add(name);
    else names.delete(name);
    root.dataset.hidden = [...names].join(" ");
    localStorage.setItem("hidden-panes", root.dataset.hidden);
  };

  // What the attributes on <html> say, said to screen readers, too.
  const sync = () => {
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const selected = tab.dataset.tab === root.dataset.dock;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
    for (const button of document.querySelectorAll("[data-shows]")) {
      button.setAttribute("aria-current", String(button.dataset.shows === root.dataset.shown));
    }
  };

  const show = (name) => {
    const docked = IN_DOCK.includes(name);
    hide(docked ? "dock" : name, false);
    if (docked) {
      root.dataset.dock = name;
      localStorage.setItem("dock-tab", name);
    }
    root.dataset.shown = name;
    localStorage.setItem("shown-pane", name);
    sync();
  };

  body.addEventListener("pane:show", (event) => {
    show(event.detail.pane);
    pane(event.detail.pane)?.focus({ preventScroll: true });
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tab], [data-shows]");
    if (button) show(button.dataset.tab || button.dataset.shows);
    if (event.target.closest("[data-wake]")) body.dispatchEvent(new CustomEvent("inside:wanted"));
  });
  body.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[data-tab]");
    if (!tab) return;
    const tabs = [...tab.parentElement.children];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const to =
      step && tabs.at((tabs.indexOf(tab) + step) % tabs.length);
    const next = { Home: tabs[0], End: tabs.at(-1) }[event.key] || to;
    if (!next) return;
    event.preventDefault();
    show(next.dataset.tab);
    next.focus();
  });
  phone.addEventListener("change", sync);
  htmx.onLoad(sync);
})();
