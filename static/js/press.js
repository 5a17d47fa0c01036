// A click needs the same button from its press to its release: what htmx replaced in between was never
// clicked. An element that refreshes itself waits for the release, and then asks for the latest.
(() => {
  // A release may go to a menu of the system or to another window, and is not heard here.
  const LONGEST_MS = 2000;
  const { body } = document;
  const waiting = new Set();
  let pressed = false;
  let longest;

  const press = () => {
    pressed = true;
    clearTimeout(longest);
    longest = setTimeout(release, LONGEST_MS);
  };
  const release = () => {
    pressed = false;
    clearTimeout(longest);
    // The click comes first.
    setTimeout(() => {
      for (const element of waiting) {
        const path = element.getAttribute("hx-get");
        htmx.ajax("get", path, { source: element, event: new Event("release") });
      }
      waiting.clear();
    });
  };
  const isSpaceOnButton = ({ key, target }) => key === " " && target.closest?.("button, summary");

  const passively = { capture: true, passive: true };
  addEventListener("pointerdown", (event) => event.button === 0 && press(), passively);
  addEventListener("keydown", (event) => isSpaceOnButton(event) && press(), passively);
  for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) {
    addEventListener(name, () => pressed && release(), passively);
  }
  body.addEventListener("htmx:beforeSwap", (event) => {
    const { shouldSwap, target, requestConfig } = event.detail;
    const refreshesItself = requestConfig.elt === target && target.hasAttribute("hx-get");
    if (!pressed || !shouldSwap || !refreshesItself) return;
    event.preventDefault();
    waiting.add(target);
  });
})();
