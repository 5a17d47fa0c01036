// Which panes are shown. Anything may ask for one: body hears "pane:show" {pane}.
const { body, documentElement: root } = document;
const IN_DOCK = ["terminal", "processes", "ports"];
const phone = window.matchMedia("(max-width: 799px)");
const pane = (name) => document.getElementById(`pane-${name}`);
const seen = (element) => element.checkVisibility({ visibilityProperty: true });

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
  for (const button of document.querySelectorAll("[data-toggles]")) {
    button.setAttribute("aria-pressed", String(!hidden().has(button.dataset.toggles)));
    button.disabled = !document.querySelector(".panes");
  }
};

const show = (name) => {
  const docked = IN_DOCK.includes(name);
  if (!phone.matches) hide(docked ? "dock" : name, false);
  if (docked) {
    root.dataset.dock = name;
    localStorage.setItem("dock-tab", name);
  }
  root.dataset.shown = name;
  localStorage.setItem("shown-pane", name);
  sync();
};

// A pane says with data-first-focus what in it wants the keyboard first.
const goTo = (name) => {
  const target = pane(name)?.querySelector("[data-first-focus]");
  (target && seen(target) ? target : pane(name))?.focus({ preventScroll: true });
};
const move = (step) => {
  const panes = [...document.querySelectorAll("[data-pane]")].filter((one) => phone.matches || seen(one));
  const at = panes.indexOf(document.activeElement?.closest("[data-pane]"));
  const next = panes.at(at < 0 && step < 0 ? -1 : (at + step) % panes.length);
  if (!next) return;
  show(next.dataset.pane);
  goTo(next.dataset.pane);
};
const toggle = (name) => {
  const hides = !hidden().has(name);
  const hadFocus = pane(name)?.contains(document.activeElement);
  hide(name, hides);
  sync();
  if (hadFocus) pane("editor").focus();
};

body.addEventListener("pane:show", ({ detail }) => {
  show(detail.pane);
  goTo(detail.pane);
});
body.addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  const { tab, shows, toggles, moves, goesTo, wake } = pressed?.dataset ?? {};
  if (tab || shows) show(tab || shows);
  if (toggles) toggle(toggles);
  if (moves) move(Number(moves));
  if (goesTo) body.dispatchEvent(new CustomEvent("pane:show", { detail: { pane: goesTo } }));
  if (wake !== undefined) body.dispatchEvent(new CustomEvent("inside:wanted"));
});
body.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[data-tab]");
  if (!tab) return;
  const tabs = [...tab.parentElement.querySelectorAll("[data-tab]")];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  const beside = step && tabs.at((tabs.indexOf(tab) + step) % tabs.length);
  const next = { Home: tabs[0], End: tabs.at(-1) }[event.key] || beside;
  if (!next) return;
  event.preventDefault();
  show(next.dataset.tab);
  next.focus();
});
phone.addEventListener("change", sync);
htmx.onLoad(sync);
