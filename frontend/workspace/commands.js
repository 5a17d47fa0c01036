// Commands are what carries data-command: buttons and links that the palette finds and that keys
// press (data-keys="Mod+K Mod+Shift+P"; Mod is Ctrl, or ⌘ on a Mac).
const MAC = /mac|iphone|ipad/i.test(navigator.platform);
const SIGNS = { Mod: MAC ? "⌘" : "Ctrl", Shift: MAC ? "⇧" : "Shift", Alt: MAC ? "⌥" : "Alt", Backquote: "`" };

const all = () =>
  [...document.querySelectorAll("[data-command]")].filter(
    (element) => !element.disabled && element.ariaDisabled !== "true",
  );
// One of each name: the same theme buttons are in more than one place.
export const list = () => [...new Map(all().map((element) => [element.dataset.command, element])).values()];
export const combinations = (element) => element.dataset.keys?.split(" ") ?? [];
export const written = (keys) =>
  keys.split("+").map((key) => SIGNS[key] ?? key.toUpperCase().replace("CTRL", "Ctrl")).join(MAC ? "" : "+");

const isPressed = (keys, event) => {
  const wanted = keys.split("+");
  const key = wanted.pop();
  const held = (name) => wanted.includes(name);
  const control = held("Ctrl") || (held("Mod") && !MAC);
  const same = event.key.toLowerCase() === key.toLowerCase() || [key, `Key${key}`].includes(event.code);
  return (
    same &&
    event.ctrlKey === control &&
    event.metaKey === (held("Mod") && MAC) &&
    event.altKey === held("Alt") &&
    // What has to be shifted depends on the keyboard; of letters and keys with names it is meant.
    (event.shiftKey === held("Shift") || !/^\w+$/.test(key))
  );
};

// What it does is to be seen: its pane comes to the front.
export const press = (element) => {
  const pane = element.closest("[data-pane]");
  if (pane && !pane.checkVisibility({ visibilityProperty: true })) {
    const detail = { pane: pane.dataset.pane };
    document.body.dispatchEvent(new CustomEvent("pane:show", { detail }));
  }
  element.click();
};

// In a field keys are text; in a terminal Ctrl and a letter are the shell's, too.
const mayPress = (event) => {
  if (/^F\d+$/.test(event.key)) return true;
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (event.target.closest?.(".xterm")) {
    const finds = event.shiftKey && event.code === "KeyF"; // in what the terminal shows
    return event.metaKey || (event.ctrlKey && !finds && (event.shiftKey || event.key === "`"));
  }
  return modified || !event.target.closest?.("input, textarea, select, [contenteditable]");
};

// On its way down, before the editor and the terminal make something else of it.
window.addEventListener(
  "keydown",
  (event) => {
    if (event.isComposing || !mayPress(event)) return;
    const open = document.querySelector("dialog[open]");
    const command = all().find((element) => combinations(element).some((keys) => isPressed(keys, event)));
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    if (!open) press(command);
  },
  true,
);

htmx.onLoad(() => {
  for (const element of all()) {
    const [keys] = combinations(element);
    const place = element.querySelector("[data-shows-keys]");
    if (place) place.textContent = written(keys);
    else if (keys && element.ariaLabel) element.title = `${element.ariaLabel} (${written(keys)})`;
  }
});
