// xterm.js with what a terminal pane needs. It draws with DOM elements, so that its text can be
// found, selected and read aloud.
import "./adopted-style.js";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import rules from "@xterm/xterm/css/xterm.css";

const sheet = new CSSStyleSheet();
sheet.replaceSync(rules);
document.adoptedStyleSheets.push(sheet);

// Returns the terminal, drawn in `parent`, with its fit and search add-ons. `openLink(event, address)`
// is called when a link is activated; other options are xterm's.
export const createTerminal = ({ parent, openLink, ...options }) => {
  const terminal = new Terminal({
    allowProposedApi: true, // Unicode 11 is one
    linkHandler: { activate: openLink },
    ...options,
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  for (const addon of [fit, search, new WebLinksAddon(openLink), new Unicode11Addon()]) {
    terminal.loadAddon(addon);
  }
  terminal.unicode.activeVersion = "11";
  terminal.open(parent);
  return { terminal, fit, search };
};
