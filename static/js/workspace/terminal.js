// The terminal pane. It loads what it needs when it is first shown, and wakes nothing by itself.
(() => {
  const HIDDEN_MS = 5000; // as long as inside.js listens on
  const { connect, draw, list, tabs: tabRow, search } = window.terminalParts;
  const WORDS = {
    connected: () => "Connected",
    connecting: () => "Connecting…",
    waiting: (seconds) => `The connection was lost. Reconnecting in ${seconds} s`,
    asleep: () => "Asleep. Press any key to wake it",
    ended: () => "The shell has ended",
    "signed-out": () => "You have signed out. Sign in to go on",
    refused: (why) => why,
  };
  const ACTS = { waiting: "Retry now", asleep: "Wake", ended: "Restart", refused: "Try again" };
  const wanted = () => document.body.dispatchEvent(new CustomEvent("inside:wanted"));

  const start = (pane) => {
    const find = (name) => pane.querySelector(`[data-terminal="${name}"]`);
    const { xterm, socket, list: address, idle } = pane.querySelector("[data-xterm]").dataset;
    const server = list(address);
    const open = new Map();
    const isShown = () => pane.isConnected && getComputedStyle(pane).visibility === "visible" && pane.offsetParent;
    const isAwake = () => document.documentElement.dataset.inside === "open";
    let module = null;
    let front = "";
    let reads = localStorage.getItem("terminal-read-aloud") === "true";

    const notice = (text) => (find("problem").textContent = text);
    const tell = () => {
      const { state, detail } = open.get(front) || { state: "", detail: "" };
      find("state").dataset.state = state;
      find("words").textContent = WORDS[state]?.(detail) || "";
      find("act").textContent = ACTS[state] || "";
      find("act").hidden = !ACTS[state];
      find("empty").hidden = open.size > 0;
    };
    const act = (one) => {
      wanted();
      one.connection.connect();
      one.screen.terminal.focus();
    };

    const choose = (key, focuses) => {
      front = key;
      localStorage.setItem("terminal-in-front", key);
      tabs.select(key);
      for (const [each, one] of open) one.panel.hidden = each !== key;
      const one = open.get(key);
      if (!one) return tell();
      one.screen ||= shown(key, one);
      one.screen.refit();
      if (isAwake() && one.state === "asleep" && !document.hidden) one.connection.connect();
      if (focuses) one.screen.terminal.focus();
      tell();
    };

    const shown = (key, one) => {
      const screen = draw({
        createTerminal: module.createTerminal,
        parent: one.panel.firstElementChild,
        label: () => `${one.name}. Ctrl+Shift+Period leaves it`,
        readsAloud: reads,
        onData: (data) => {
          wanted();
          if (one.state === "ended") one.connection.connect();
          else one.connection.type(data);
        },
        onSize: (cols, rows) => one.connection?.resize(cols, rows),
        ask: (what) => ({ search: openSearch, leave: () => tabs.focus(front), new: add })[what](),
      });
      one.connection = connect({
        address: () => {
          const { cols, rows } = screen.terminal;
          return `${location.origin.replace("http", "ws")}${socket}?session=${key}&cols=${cols}&rows=${rows}&acks=1`;
        },
        idleAfter: Number(idle) * 1000,
        show: screen.show,
        isSignedIn: server.isSignedIn,
        tell: (state, detail) => {
          Object.assign(one, { state, detail });
          if (key === front) tell();
          if (state === "ended") screen.ended();
          if (state === "ended" || state === "closed") refresh();
        },
      });
      return screen;
    };

    const forget = (key) => {
      const one = open.get(key);
      one?.connection?.leave();
      one?.screen?.dispose();
      one?.panel.remove();
      open.delete(key);
      tabs.remove(key);
    };
    const refresh = async () => {
      const found = await server.all().catch((error) => notice(error.message));
      if (!found) return;
      const keys = found.map((each) => each.key);
      for (const key of [...open.keys()].filter((each) => !keys.includes(each))) forget(key);
      for (const { key, name } of found) {
        if (!open.has(key)) {
          const panel = find("panel").content.firstElementChild.cloneNode(true);
          panel.id = `terminal-${key}`;
          panel.setAttribute("aria-labelledby", `terminal-tab-${key}`);
          find("screens").append(panel);
          open.set(key, { panel, name, state: "asleep", detail: "" });
          tabs.add({ key });
        }
        open.get(key).name = name;
        tabs.name(key, name);
      }
      const last = localStorage.getItem("terminal-in-front");
      if (!open.has(front)) choose(keys.includes(last) ? last : keys.at(-1) || "", false);
      else tell();
    };

    let adding = false;
    const add = async () => {
      if (adding) return; // who types ahead presses the button again
      wanted();
      notice("");
      adding = true;
      const added = await server.add().catch((error) => notice(error.message));
      adding = false;
      if (!added) return;
      await refresh();
      choose(added.key, true);
      open.get(added.key)?.connection.connect();
    };
    const close = async (key, force = false) => {
      notice("");
      try {
        await server.close(key, force);
      } catch (error) {
        if (error.code === "terminal_in_use") return confirmed(key, error.message);
        if (error.code !== "no_terminal") return notice(error.message);
      }
      forget(key);
      await refresh();
      if (front) tabs.focus(front);
      else find("add").focus();
    };
    const confirmed = (key, text) => {
      const dialog = find("confirm");
      dialog.querySelector("p").textContent = text;
      dialog.returnValue = "";
      dialog.onclose = () => dialog.returnValue === "close" && close(key, true);
      dialog.showModal();
    };
    const rename = (key, name) =>
      server.rename(key, name).catch((error) => notice(error.message)).then(refresh);

    const tabs = tabRow({
      row: find("tabs"),
      template: find("tab"),
      choose,
      rename,
      close,
      leave: () => open.get(front)?.screen.terminal.focus(),
    });
    const openSearch = search(find("search"), () => open.get(front)?.screen);
    find("add").addEventListener("click", add);
    find("first").addEventListener("click", add);
    find("find").addEventListener("click", openSearch);
    find("act").addEventListener("click", () => act(open.get(front)));
    const readAloud = find("read-aloud");
    readAloud.setAttribute("aria-pressed", String(reads));
    readAloud.addEventListener("click", () => {
      reads = !reads;
      localStorage.setItem("terminal-read-aloud", String(reads));
      readAloud.setAttribute("aria-pressed", String(reads));
      for (const { screen } of open.values()) if (screen) screen.terminal.options.screenReaderMode = reads;
    });

    const load = async () => {
      if (module || !isShown()) return;
      module = import(xterm);
      module = await module;
      await refresh();
    };
    let hidden = 0;
    const park = () => {
      for (const { connection } of open.values()) connection?.park();
    };
    const back = () => {
      clearTimeout(hidden);
      if (document.hidden) hidden = setTimeout(park, HIDDEN_MS);
      else if (module?.createTerminal && isShown()) refresh().then(() => front && choose(front, false));
    };
    const stop = new AbortController();
    document.addEventListener("visibilitychange", back, { signal: stop.signal });
    document.body.addEventListener("inside:state", back, { signal: stop.signal });
    new ResizeObserver(load).observe(pane);
    const attributes = new MutationObserver(() => {
      if (!pane.isConnected) {
        stop.abort();
        attributes.disconnect();
        for (const key of [...open.keys()]) forget(key);
      } else load();
    });
    attributes.observe(document.documentElement, { attributeFilter: ["data-dock", "data-shown", "data-hidden"] });
    load();
  };

  htmx.onLoad((added) => {
    const pane = added.id === "pane-terminal" ? added : added.querySelector("#pane-terminal");
    if (pane && !pane.dataset.started) {
      pane.dataset.started = "true";
      start(pane);
    }
  });
})();
