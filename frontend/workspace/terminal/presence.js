// Whether the terminal pane is seen: it loads when it is first, what is not lets go of its sandbox,
// and what is seen again takes it up.
const HIDDEN_MS = 5000; // as long as inside.js listens on

const isShown = (element) =>
  element.isConnected && getComputedStyle(element).visibility === "visible" && element.offsetParent;

// `load` is called until it has begun, `back` when the page is seen or the sandbox there again, `park`
// when the page is not seen any more, and `gone` once the pane is no longer in it.
export const watch = (element, { load, back, park, gone }) => {
  let parking = 0;
  const stop = new AbortController();
  const consider = () => {
    clearTimeout(parking);
    if (document.hidden) parking = setTimeout(park, HIDDEN_MS);
    else if (isShown(element)) back();
  };
  const see = () => {
    if (isShown(element)) load();
  };
  document.addEventListener("visibilitychange", consider, { signal: stop.signal });
  document.body.addEventListener("inside:state", consider, { signal: stop.signal });
  new ResizeObserver(see).observe(element);
  const layout = new MutationObserver(() => {
    if (element.isConnected) return see();
    stop.abort();
    layout.disconnect();
    return gone();
  });
  layout.observe(document.documentElement, { attributeFilter: ["data-dock", "data-shown", "data-hidden"] });
  see();
};
