// Uploads: some at a time, each with a line that says how far it is. Where a large one would take the
// place of a file, that is asked before its bytes are sent; Manta looks again when they are there.
import { target } from "./actions.js";
import { literal } from "./names.js";
import { renew } from "./news.js";
import { join, parent } from "./paths.js";
import { known, lines, listOf } from "./tree.js";

const pane = document.getElementById("files");
const list = document.getElementById("files-uploads");
const picker = document.getElementById("files-picker");
const AT_ONCE = 3;
const LARGE = 2 ** 20; // what is smaller is sent sooner than asked about
const waiting = [];
let running = 0;

const next = () => {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    waiting.shift().run().finally(() => { running -= 1; next(); });
  }
};
const said = (request) => {
  try { return JSON.parse(request.response); } catch { return {}; }
};
// What is in the nearest folder above that the tree shows: those below may be new with it.
const seen = (path) => {
  let at = path;
  while (at !== "/" && !listOf(parent(at))) at = parent(at);
  return at;
};
// Asked folder by folder, from one that is there: of what isn't, Chromium's console would tell.
const kindOf = async (path) => {
  const parts = path.split("/");
  for (let depth = seen(path).split("/").length; ; depth += 1) {
    const name = parts[depth - 1];
    const folder = parts.slice(0, depth - 1).join("/") || "/";
    const [, found] = await lines(folder, [["name", name], ["hidden", "1"]]);
    const kind = found.querySelector(`[data-name="${CSS.escape(name)}"]`)?.dataset.kind;
    if (depth === parts.length) return kind;
    if (kind !== "directory") return null;
  }
};

class Upload {
  overwrites = false;
  stopped = false;

  constructor(path, name, file) {
    Object.assign(this, { path, file });
    this.item = document.getElementById("files-upload").content.firstElementChild.cloneNode(true);
    const named = this.item.querySelector(".upload-name");
    named.textContent = named.title = name;
    this.again = this.item.querySelector("[data-again]");
    this.again.onclick = () => this.wait();
    this.item.querySelector("[data-stop]").onclick = () => this.stop();
    list.append(this.item);
  }

  put(request) {
    const address = `${pane.dataset.api}/content?path=${encodeURIComponent(this.path)}`;
    request.open("PUT", address + (this.overwrites ? "&overwrite=true" : ""));
    request.send(this.file);
  }

  say(words) {
    this.item.querySelector(".upload-state").textContent = words;
  }

  wait() {
    this.again.hidden = true;
    this.item.classList.remove("failed");
    this.say("Waiting");
    waiting.push(this);
    next();
  }

  stop() {
    this.stopped = true;
    this.request?.abort();
    this.item.remove();
  }

  async run() {
    const asks = !this.stopped && !this.overwrites && this.file.size >= LARGE;
    const kind = asks && (await kindOf(this.path).catch(() => null));
    if (this.stopped) return;
    if (kind === "directory") this.fail(`${this.path} is a folder.`, "not_a_file");
    else if (kind) this.fail(`Something already exists at ${this.path}.`, "file_exists");
    else await this.send();
  }

  send() {
    const request = (this.request = new XMLHttpRequest());
    const bar = this.item.querySelector("progress");
    request.upload.onprogress = (event) => {
      bar.value = event.total ? event.loaded / event.total : 1;
      this.say(`${Math.round(bar.value * 100)} %`);
    };
    this.put(request);
    return new Promise((resolve) => {
      request.onloadend = () => {
        this.answered(request);
        resolve();
      };
    });
  }

  answered(request) {
    if (request.status === 201) {
      this.item.remove();
      renew(seen(this.path)).catch(() => {});
      return;
    }
    const { error, code } = said(request);
    this.fail(error || "The connection was lost.", code);
  }

  fail(words, code) {
    this.overwrites ||= code === "file_exists";
    this.again.textContent = code === "file_exists" ? "Overwrite" : "Retry";
    this.again.hidden = false;
    this.item.classList.add("failed");
    this.say(words);
  }
}

// A folder with nothing in it: the others are made with what is in them.
class EmptyFolder extends Upload {
  put(request) {
    request.open("POST", `${pane.dataset.api}/folder`);
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "Content-Type": "application/json" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(JSON.stringify({ path: this.path }));
  }

  // One that is there already is as wanted.
  async run() {
    const kind = !this.stopped && (await kindOf(this.path).catch(() => null));
    if (this.stopped) return;
    if (kind === "directory") this.item.remove();
    else if (kind) this.fail(`Something already exists at ${this.path}.`);
    else await this.send();
  }

  fail(words) {
    super.fail(words, "");
  }
}

// Of a path on this computer, whose parts are names as they are.
const within = (folder, path) => join(folder, path.split("/").map(literal).join("/"));

export const upload = (folder, name, file) => new Upload(within(folder, name), name, file).wait();
export const uploadEmpty = (folder, name) => new EmptyFolder(within(folder, name), `${name}/`, new Blob()).wait();

export const listen = () => {
  picker.addEventListener("change", async () => {
    const chosen = [...picker.files];
    picker.value = "";
    if (await known()) for (const file of chosen) upload(target(), file.name, file);
  });
};
