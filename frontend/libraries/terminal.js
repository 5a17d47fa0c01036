// xterm.js with what a terminal pane needs. It draws with DOM elements, so that its text can be
// found, selected and read aloud.
import "./adopted-style.js";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import rules from "@xterm/xterm/css/xterm.css" with { type: "text" };

const sheet = new CSSStyleSheet();
sheet.replaceSync(rules);
document.adoptedStyleSheets.push(sheet);

const create = (options) => {
  const terminal = new Terminal({ allowProposedApi: true, ...options }); // Unicode 11 is proposed
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  return terminal;
};

// Returns a terminal that is drawn nowhere: what is written to it is read from its buffer.
export const createParser = create;

// Returns the terminal, drawn in `parent`, with its fit and search add-ons. `openLink(event, address)`
// is called when a link is activated; other options are xterm's.
export const createTerminal = ({ parent, openLink, ...options }) => {
  const terminal = create({ linkHandler: { activate: openLink }, ...options });
  const fit = new FitAddon();
  const search = new SearchAddon();
  for (const addon of [fit, search, new WebLinksAddon(openLink)]) terminal.loadAddon(addon);
  terminal.open(parent);
  return { terminal, fit, search };
};
