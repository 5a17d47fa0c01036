// One terminal's screen: xterm.js in Manta's colours, with the keys that a browser's terminal has.
const KEPT = 64 * 1024; // characters that were shown: where a screen that comes back goes on
const TAIL = 4096;
const CUT = "\x1b[0m"; // how a screen begins of which the start is lost
const NEW_SHELL = "\x1b[2mThe earlier shell is gone, with what ran in it. This is a new one.\x1b[0m\r\n";
// What a terminal answers to a program's question. One that is shown anew is not asked anew.
const ANSWER = /^\x1b(\[[?>]?[\d;]*[cnRy]|\][\d;]+rgb|P)/;
const LOCAL = /^https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?([/?#].*)?$/;

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const LIGHT =
  "#16212a #b0241c #12703d #7a5200 #1c5bb5 #8a3aa0 #0b6b86 #5b6872 " +
  "#50606b #c9372c #1a8049 #8f6200 #2a6fd0 #a04cb8 #0e7f9e #6a7781";
const DARK =
  "#3a464d #ff8d83 #57ca8b #e9b44f #82b4ff #d9a0ec #58c4dd #dbe3e7 " +
  "#8595a0 #ffaaa2 #7edba8 #f2c979 #a8cbff #e6bdf4 #83d6ea #ffffff";

const theme = (parent) => {
  const { color, backgroundColor } = getComputedStyle(parent);
  const isDark = parseInt(backgroundColor.match(/\d+/)[0], 10) < 128;
  const colours = (isDark ? DARK : LIGHT).split(" ");
  const named = NAMES.flatMap((name, at) => [
    [name, colours[at]],
    [`bright${name[0].toUpperCase()}${name.slice(1)}`, colours[at + 8]],
  ]);
  return {
    ...Object.fromEntries(named),
    background: backgroundColor,
    foreground: color,
    cursor: color,
    cursorAccent: backgroundColor,
    selectionBackground: isDark ? "#3d5c68" : "#bcdbe6",
  };
};

const sizeOf = (parent) => parseFloat(getComputedStyle(parent).fontSize);

const openLink = (event, address) => {
  const local = LOCAL.exec(address);
  if (local) {
    const detail = { port: Number(local[1] || 80), path: local[2] || "/" };
    document.body.dispatchEvent(new CustomEvent("preview:open", { detail }));
  } else {
    window.open(address, "_blank", "noopener,noreferrer");
  }
};

// Keys that are not the shell's: true where one was.
const isOurs = (event, terminal, ask) => {
  const key = event.key.toLowerCase();
  if (event.key === "F6") return true; // the workspace's: on to the next pane
  if (event.metaKey) return ["c", "v", "k", "f"].includes(key);
  if (!event.ctrlKey || !event.shiftKey) return false;
  if (key === "c") {
    event.preventDefault();
    if (terminal.hasSelection()) navigator.clipboard?.writeText(terminal.getSelection());
    return true;
  }
  const asked = { f: "search", ">": "leave", ".": "leave" }[key];
  if (asked) {
    event.preventDefault();
    ask(asked);
  }
  return Boolean(asked) || key === "v"; // the browser pastes, xterm.js takes it
};

export const draw = ({ createTerminal, parent, label, readsAloud, onData, onSize, onCopy, ask }) => {
  const quiet = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { terminal, fit, search } = createTerminal({
    parent,
    openLink,
    linkHandler: { activate: openLink },
    fontFamily: getComputedStyle(parent).fontFamily,
    fontSize: sizeOf(parent),
    lineHeight: 1.2,
    scrollback: 10_000,
    cursorBlink: !quiet,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    screenReaderMode: readsAloud,
    theme: theme(parent),
  });
  let kept = "";
  let isReplaying = false;
  terminal.textarea.setAttribute("aria-label", label());
  terminal.attachCustomKeyEventHandler((event) => event.type !== "keydown" || !isOurs(event, terminal, ask));
  terminal.onData((data) => {
    if (!isReplaying || !ANSWER.test(data)) onData(data);
  });
  terminal.onResize(({ cols, rows }) => onSize(cols, rows));
  terminal.parser.registerOscHandler(52, (data) => {
    if (!isReplaying) onCopy(data);
    return true;
  });

  const refit = () => {
    if (parent.offsetParent === null || parent.clientHeight <= 20) return;
    terminal.options.fontSize = sizeOf(parent);
    fit.fit();
    // Rows that were drawn in the moment of being hidden were measured as having no width.
    terminal.refresh(0, terminal.rows - 1);
  };
  const sizes = new ResizeObserver(() => requestAnimationFrame(refit));
  sizes.observe(parent);
  document.body.addEventListener("setting:changed", refit);
  const recolour = () => (terminal.options.theme = theme(parent));
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", recolour);

  // A connection begins with what the screen had: only what is new of it is shown again.
  const unseen = (text) => {
    if (kept.length < KEPT && text.startsWith(kept)) return text.slice(kept.length);
    const tail = kept.slice(-TAIL);
    const at = tail.length === TAIL ? text.lastIndexOf(tail) : -1;
    if (at >= 0) return text.slice(at + TAIL);
    kept = "";
    terminal.reset();
    // All that its shell has ever said, and not what was here: it is another shell.
    if (!text.startsWith(CUT)) terminal.write(NEW_SHELL);
    return text;
  };
  // What a shell that was ended says is no longer expected to go on.
  const ended = () => (kept = "");
  const show = (text, isFirst, done) => {
    const added = isFirst ? unseen(text) : text;
    kept = (kept + added).slice(-KEPT);
    isReplaying ||= isFirst;
    terminal.write(added, () => {
      if (isFirst) isReplaying = false;
      done();
    });
  };
  const dispose = () => {
    sizes.disconnect();
    document.body.removeEventListener("setting:changed", refit);
    themes.disconnect();
    scheme.removeEventListener("change", recolour);
    terminal.dispose();
  };
  refit();
  return { terminal, search, show, ended, refit, dispose };
};
