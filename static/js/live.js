// News of the sandbox over one stream, for as long as the page is seen. Without it, the page polls.
(() => {
  const AGAIN_MS = 30000;
  const { body, documentElement: root } = document;
  let source = null;
  let lastId = "";
  let later;
  let asking = false;
  let askAgain = false;

  // The stream says that something has changed; the page asks what it looks like now.
  const ask = () => {
    if (asking) askAgain = true;
    else htmx.trigger(body, "sandbox:refresh");
  };
  const ofPanel = (event) => event.detail.requestConfig?.elt.id === "sandbox-body";
  body.addEventListener("htmx:beforeSend", (event) => {
    if (ofPanel(event)) asking = true;
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (!ofPanel(event)) return;
    asking = false;
    if (!askAgain) return;
    // What changed meanwhile may not be in this answer. It has to be in the page before the next.
    askAgain = false;
    setTimeout(ask, 100);
  });

  const checked = ({ at }) => htmx.trigger(body, "sandbox:checked", { at });
  const heard = {
    state: ({ version, checkedAt }) => {
      if (version !== document.getElementById("sandbox-body")?.dataset.version) ask();
      else if (checkedAt) checked({ at: checkedAt });
    },
    checked,
    event: (event) => htmx.trigger(body, "sandbox:event", event),
    call: (call) => htmx.trigger(body, "sandbox:call", call),
    missed: () => htmx.trigger(body, "sandbox:event"),
    end: ({ reason }) => {
      // From a server that stops, the browser comes back by itself.
      if (reason !== "stopping") giveUp();
    },
  };

  const close = () => {
    clearTimeout(later);
    source?.close();
    source = null;
    delete root.dataset.live;
  };

  // Polls go on meanwhile; the first says at once whether the person is still signed in.
  const giveUp = () => {
    close();
    later = setTimeout(open, AGAIN_MS);
    ask();
  };

  const open = () => {
    if (source || document.hidden) return;
    clearTimeout(later);
    const after = lastId && `?after=${lastId}`;
    source = new EventSource(body.dataset.liveFrom + after);
    source.onopen = () => {
      root.dataset.live = "";
    };
    source.onerror = () => {
      delete root.dataset.live;
      if (source?.readyState === EventSource.CLOSED) giveUp();
    };
    for (const [name, hear] of Object.entries(heard)) {
      source.addEventListener(name, (message) => {
        lastId = message.lastEventId || lastId;
        hear(JSON.parse(message.data));
      });
    }
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  // Not before: what is told while htmx hears nothing yet is lost.
  document.addEventListener("DOMContentLoaded", open);
})();
