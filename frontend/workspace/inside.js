// What happens inside the sandbox, over one stream, while somebody works on this page.
// An open stream keeps the sandbox awake: a hidden or idle page closes it, and lets it sleep.
const HIDDEN_MS = 5000;
const AGAIN_MS = 15000;
const NEWS_MS = 3000;
const QUIET_MS = 1000;
const { body, documentElement: root } = document;
const { insideFrom: from, idleAfter } = body.dataset;
const idleMs = Number(idleAfter) * 1000;
let source = null;
let wanted = false;
let soon = false;
let idle;
let later;
let quiet;
let actedAt = Date.now();

const tell = (name, detail) => body.dispatchEvent(new CustomEvent(name, { detail }));
const is = (state) => {
  if (root.dataset.inside === state) return;
  root.dataset.inside = state;
  tell("inside:state", { state });
  tell(`inside:${state}`);
};
const sandboxIs = (state) => document.getElementById("play-state")?.classList.contains(`state-${state}`);
const isIdle = () => Date.now() - actedAt > idleMs;

const heard = {
  connected: () => {
    is("open");
    // What runs and listens is told soon after. Who shows it asks for it where it isn't.
    clearTimeout(quiet);
    quiet = setTimeout(tell, QUIET_MS, "inside:quiet");
  },
  trouble: () => is("away"),
  files: (data) => tell("files:changed", data),
  processes: (data) => {
    clearTimeout(quiet);
    tell("processes:changed", data);
  },
  ports: (data) => tell("ports:changed", data),
  end: ({ reason }) => {
    park();
    // Of a server that ends, or a sandbox that is made again, something else may come.
    if (reason !== "limit") later = setTimeout(consider, AGAIN_MS / 5);
  },
};

const park = () => {
  clearTimeout(later);
  soon = false;
  clearTimeout(quiet);
  clearTimeout(idle);
  source?.close();
  source = null;
  wanted = false;
  is(sandboxIs("active") || sandboxIs("standby") ? "asleep" : "off");
};

const open = () => {
  clearTimeout(later);
  soon = false;
  is("connecting");
  source = new EventSource(from);
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return is("connecting");
    source = null;
    is("away");
    later = setTimeout(consider, AGAIN_MS);
  };
  for (const [name, hear] of Object.entries(heard)) {
    source.addEventListener(name, (message) => hear(JSON.parse(message.data)));
  }
  watchIdle();
};

const watchIdle = () => {
  clearTimeout(idle);
  idle = setTimeout(() => (isIdle() ? park() : watchIdle()), Math.max(250, actedAt + idleMs - Date.now() + 50));
};

// Whether to listen, as things are now. Looking alone never wakes a sandbox.
const consider = () => {
  if (source || document.hidden || isIdle()) return;
  if (soon && !wanted && sandboxIs("active")) return;
  if (sandboxIs("active") || (wanted && sandboxIs("standby"))) open();
  else is(sandboxIs("standby") ? "asleep" : "off");
};

// The Play button may not say yet that the sandbox fell asleep meanwhile, and neither may the first
// news that comes: whoever only comes back to the page waits for it.
const considerSoon = () => {
  clearTimeout(later);
  soon = true;
  later = setTimeout(() => {
    soon = false;
    consider();
  }, NEWS_MS);
};

const acted = () => {
  const was = isIdle();
  actedAt = Date.now();
  if (was) considerSoon();
};
for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  document.addEventListener(name, acted, { passive: true, capture: true });
}
document.addEventListener("scroll", acted, { passive: true, capture: true });
body.addEventListener("inside:activity", acted);
body.addEventListener("inside:wanted", () => {
  actedAt = Date.now();
  wanted = true;
  if (root.dataset.inside === "away" && source) {
    source.close();
    source = null;
  }
  consider();
});
// The panel's news comes with the Play button's state, maybe after other parts of the page: while
// these are swapped, the button still tells the state before, and would have us wake the sandbox.
body.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id === "play-state") consider();
});
document.addEventListener("visibilitychange", () => {
  clearTimeout(later);
  if (document.hidden) later = setTimeout(park, HIDDEN_MS);
  else {
    actedAt = Date.now();
    considerSoon();
  }
});
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  source = null;
  consider();
});
// Not before: what is told while other modules and htmx hear nothing yet is lost.
document.addEventListener("DOMContentLoaded", consider);
