// One terminal of the pane. Its screen and its connection are made when it is first in front.
import { connect } from "./connection.js";
import { draw } from "./screen.js";

export class Session {
  state = "asleep";
  detail = "";

  // `pane` has what all of them share; its `told` hears of each change.
  constructor(key, panel, pane) {
    Object.assign(this, { key, panel, pane });
    panel.id = `terminal-${key}`;
    panel.setAttribute("aria-labelledby", `terminal-tab-${key}`);
  }

  get address() {
    const { cols, rows } = this.screen.terminal;
    const { origin } = location;
    return `${origin.replace("http", "ws")}${this.pane.socket}?session=${this.key}&cols=${cols}&rows=${rows}&acks=1&taken=1`;
  }

  show() {
    if (!this.screen) this.make();
    this.screen.refit();
  }

  make() {
    this.screen = draw({
      createTerminal: this.pane.module.createTerminal,
      parent: this.panel.firstElementChild,
      label: () => `${this.name}. Ctrl+Shift+Period leaves it`,
      readsAloud: this.pane.reads,
      onData: (data) => this.type(data),
      onSize: (cols, rows) => this.connection?.resize(cols, rows),
      onCopy: this.pane.copied,
      ask: (what) => this.pane.asked(what),
    });
    this.connection = connect({
      address: () => this.address,
      idleAfter: this.pane.idleAfter,
      show: this.screen.show,
      isSignedIn: this.pane.server.isSignedIn,
      tell: (state, detail) => this.became(state, detail),
    });
  }

  type(data) {
    this.pane.wanted();
    if (this.state === "ended") this.connection.connect();
    else this.connection.type(data);
  }

  became(state, detail) {
    Object.assign(this, { state, detail });
    if (state === "ended") this.screen.ended();
    this.pane.told(this);
  }

  focus() {
    this.screen.terminal.focus();
  }

  leave() {
    this.connection?.leave();
    this.screen?.dispose();
    this.panel.remove();
  }
}
