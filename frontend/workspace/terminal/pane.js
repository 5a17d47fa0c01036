// The terminal pane. It loads what it needs when it is first shown, and wakes nothing by itself.
import { attention } from "../attention.js";
import { clipboard } from "./clipboard.js";
import { close } from "./closing.js";
import { showState } from "./foot.js";
import { list } from "./list.js";
import { watch } from "./presence.js";
import { search } from "./search.js";
import { Session } from "./session.js";
import { tabs } from "./tabs.js";

const { body, documentElement: root } = document;

class Pane {
  open = new Map();
  front = "";
  module = null;
  adding = false;
  reads = localStorage.getItem("terminal-read-aloud") === "true";

  constructor(element) {
    this.element = element;
    this.find = (name) => element.querySelector(`[data-terminal="${name}"]`);
    const { socket, list: address, idle } = element.querySelector("[data-socket]").dataset;
    Object.assign(this, { socket, idleAfter: Number(idle) * 1000, server: list(address) });
    this.tabs = tabs({
      row: this.find("tabs"),
      template: this.find("tab"),
      choose: (key, focuses) => this.choose(key, focuses),
      rename: (key, name) => this.rename(key, name),
      close: (key) => this.close(key),
      leave: () => this.current?.focus(),
    });
    this.copied = clipboard(this.find("copying"), (text) => this.notice(text));
    this.openSearch = search(this.find("search"), () => this.current?.screen);
  }

  get current() {
    return this.open.get(this.front);
  }

  wanted() {
    body.dispatchEvent(new CustomEvent("inside:wanted"));
  }

  notice(text) {
    this.find("problem").textContent = text;
  }

  draw() {
    showState(this.find, this.current);
    this.find("empty").hidden = this.open.size > 0;
  }

  told(session) {
    if (session === this.current) this.draw();
    if (session.state === "ended" || session.state === "closed") this.refresh();
  }

  // What a key in a terminal asks of the pane.
  asked(what) {
    if (what === "search") this.openSearch();
    else this.tabs.focus(this.front);
  }

  choose(key, focuses) {
    this.front = key;
    localStorage.setItem("terminal-in-front", key);
    this.tabs.select(key);
    for (const [each, { panel }] of this.open) panel.hidden = each !== key;
    const { current } = this;
    if (!current) return this.draw();
    current.show();
    const isAwake = root.dataset.inside === "open";
    if (isAwake && current.state === "asleep" && !document.hidden) current.connection.connect();
    if (focuses) current.focus();
    return this.draw();
  }

  async refresh() {
    const found = await this.server.all().catch((error) => this.notice(error.message));
    if (!found) return;
    const keys = found.map((each) => each.key);
    for (const key of [...this.open.keys()].filter((each) => !keys.includes(each))) this.forget(key);
    for (const { key, name } of found) {
      if (!this.open.has(key)) this.put(key);
      this.open.get(key).name = name;
      this.tabs.name(key, name);
    }
    const last = localStorage.getItem("terminal-in-front");
    if (!this.current) this.choose(keys.includes(last) ? last : keys.at(-1) || "", false);
    else this.draw();
  }

  put(key) {
    const panel = this.find("panel").content.firstElementChild.cloneNode(true);
    this.find("screens").append(panel);
    this.open.set(key, new Session(key, panel, this));
    this.tabs.add({ key });
  }

  forget(key) {
    this.open.get(key)?.leave();
    this.open.delete(key);
    this.tabs.remove(key);
  }

  async add() {
    if (this.adding) return; // who types ahead presses the button again
    this.wanted();
    this.notice("");
    const isStillHere = attention();
    this.adding = true;
    await this.load();
    const added = await this.server.add().catch((error) => this.notice(error.message));
    this.adding = false;
    if (!added) return;
    await this.refresh();
    this.choose(added.key, isStillHere());
    this.open.get(added.key)?.connection.connect();
  }

  rename(key, name) {
    return this.server.rename(key, name).catch((error) => this.notice(error.message)).then(() => this.refresh());
  }

  async close(key) {
    this.notice("");
    const { server } = this;
    const failed = (text) => this.notice(text);
    if (!(await close({ server, dialog: this.find("confirm"), key, failed }))) return;
    this.forget(key);
    await this.refresh();
    if (this.front) this.tabs.focus(this.front);
    else this.find("add").focus();
  }

  act() {
    this.wanted();
    this.current.connection.connect();
    this.current.focus();
  }

  readAloud(on) {
    this.reads = on;
    localStorage.setItem("terminal-read-aloud", String(on));
    this.find("read-aloud").setAttribute("aria-pressed", String(on));
    for (const { screen } of this.open.values()) if (screen) screen.terminal.options.screenReaderMode = on;
  }

  load() {
    this.loading ??= import("../../libraries/terminal.js").then((module) => {
      this.module = module;
      return this.refresh();
    });
    return this.loading;
  }

  async back() {
    if (!this.module) return;
    await this.refresh();
    if (this.front) this.choose(this.front, false);
  }

  park() {
    for (const { connection } of this.open.values()) connection?.park();
  }

  listen() {
    const pressed = { add: () => this.add(), first: () => this.add(), find: () => this.openSearch() };
    pressed.act = () => this.act();
    pressed["read-aloud"] = () => this.readAloud(!this.reads);
    for (const [name, press] of Object.entries(pressed)) this.find(name).addEventListener("click", press);
    this.find("read-aloud").setAttribute("aria-pressed", String(this.reads));
    watch(this.element, {
      load: () => this.load(),
      back: () => this.back(),
      park: () => this.park(),
      gone: () => [...this.open.keys()].forEach((key) => this.forget(key)),
    });
  }
}

htmx.onLoad((added) => {
  const pane = added.id === "pane-terminal" ? added : added.querySelector("#pane-terminal");
  if (pane && !pane.dataset.started) {
    pane.dataset.started = "true";
    new Pane(pane).listen();
  }
});
