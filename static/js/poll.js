// When the panel asks for news: not in a hidden tab, hardly ever while a stream brings them, and
// more often after something was started.
(() => {
  const REFRESH_AFTER_MS = [300, 1200, 1900, 3000, 6000];
  const BESIDE_STREAM_MS = 30000;
  const { body, documentElement: root } = document;
  let asked = Date.now();

  const refresh = () => {
    if (!("live" in root.dataset)) htmx.trigger(body, "sandbox:refresh");
  };
  const isDue = (config) =>
    // Only "every …" comes without an event.
    config.triggeringEvent || !("live" in root.dataset) || Date.now() - asked > BESIDE_STREAM_MS;

  body.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (elt.id !== "sandbox-body") return;
    if (document.hidden || !isDue(requestConfig)) event.preventDefault();
    else asked = Date.now();
  });
  const refreshSoon = () => REFRESH_AFTER_MS.forEach((delay) => setTimeout(refresh, delay));
  // What is shown at first is what was last seen: whoever looks makes the worker look, too.
  refreshSoon();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refreshSoon();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-wakes]")) refreshSoon();
  });
  // Whoever clicks into the preview wakes the sandbox, too.
  window.addEventListener("blur", () => {
    if (document.activeElement?.name === "preview") refreshSoon();
  });

  // An answer without news still says when the sandbox was last looked at.
  body.addEventListener("sandbox:checked", (event) => {
    const time = document.getElementById("time-checked");
    if (time) time.dateTime = event.detail.at;
  });

  // A screen reader reads whatever is put into a live region, changed or not.
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target.ariaLive && target.textContent === fragment.textContent) {
      event.detail.shouldSwap = false;
    }
  });

  const offline = document.getElementById("offline");
  body.addEventListener("htmx:sendError", () => {
    offline.hidden = false;
  });
  body.addEventListener("htmx:afterOnLoad", () => {
    offline.hidden = true;
  });
})();
