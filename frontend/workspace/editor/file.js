// One open file: what is on disk, what is in the editor, and what happens when they part.
// UTF-16 says so in its first two bytes; whatever else is not UTF-8 is shown as far as it can be.
import * as api from "./api.js";
import { createBar, wayOn } from "./bar.js";
import { compare } from "./comparison.js";
import * as drafts from "./drafts.js";
import { Saving } from "./saving.js";
import { WHY, showView } from "./views.js";

const decoded = (bytes) => {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const label = { "255 254": "utf-16le", "254 255": "utf-16be" }[`${first} ${second}`] ?? "utf-8";
  return new TextDecoder(label).decode(bytes);
};

export class OpenFile {
  version = null; // of what is on disk, as far as it is known; null: nothing is
  saved = null; // the text that version stands for
  editor = null;
  state = "closed"; // closed, loading, asleep, text, view
  language = "";
  locked = ""; // why it can't be changed here
  conflict = false;

  constructor(path, panel, told) {
    Object.assign(this, { path, panel, told });
    this.bar = createBar(panel);
    this.saving = new Saving(this);
    this.surface = Object.assign(document.createElement("div"), { className: "editor-surface" });
    panel.append(this.surface);
  }

  get name() {
    return this.path.split("/").pop();
  }

  get readOnly() {
    return Boolean(this.locked);
  }

  get dirty() {
    return this.state === "text" && !this.readOnly && !(this.saved && this.editor.doc.eq(this.saved));
  }

  // Without `wakes`, only what this browser has itself is shown while the sandbox sleeps.
  async open({ wakes }) {
    if (this.state === "loading" || this.state === "text") return;
    const draft = await drafts.get(this.path).catch(() => null);
    if (draft) await this.restore(draft);
    // It may have begun to listen meanwhile.
    if (wakes || document.documentElement.dataset.inside === "open") await this.load();
    else if (!draft) this.sleep();
  }

  sleep() {
    this.state = "asleep";
    const words = document.getElementById("editor-asleep").content.cloneNode(true);
    this.surface.replaceChildren(words);
    this.told();
  }

  async restore(draft) {
    await this.showText(draft.text, { version: draft.version });
    const at = new Date(draft.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.say(`Unsaved changes from ${at} were restored.`, { Discard: () => this.discard(), Keep: () => this.say("") });
  }

  // One at a time: two would each make an editor.
  load() {
    this.loads = (this.loads ?? Promise.resolve()).then(() => this.look());
    return this.loads;
  }

  async look() {
    if (this.state !== "text") this.state = "loading";
    this.told();
    const { version } = this;
    try {
      const found = await api.read(this.path);
      // What was saved meanwhile is newer than what was found.
      if (!this.saving.underWay && this.version === version) await this.meet(found);
    } catch (error) {
      this.failed(error);
    }
    this.told();
  }

  failed(error) {
    if (error.status === 404) return this.vanished();
    if (this.state === "text") return undefined;
    this.state = "view";
    showView(this.surface, { path: this.path, why: error.message });
    this.say(error.message, wayOn(error, () => this.load()));
    return undefined;
  }

  vanished() {
    this.version = null;
    if (this.state !== "text") {
      this.state = "view";
      return showView(this.surface, { path: this.path, why: "gone" });
    }
    this.saved = null;
    return this.say("Deleted on disk.", { "Save as new": () => this.save() });
  }

  // What is on disk now, beside what is in the editor.
  async meet(found) {
    if (found.kind === "directory") return this.showView({ path: this.path, why: "folder" });
    if (found.content === null) return this.showView(found);
    const isOther = Boolean(found.why) !== this.readOnly && !this.dirty;
    if (this.state !== "text" || isOther) {
      await this.showText(found.content, { version: found.version, agreed: true });
      return found.why ? this.lock(found.why) : undefined;
    }
    if (found.version === this.version && this.saved) return undefined;
    if (this.editor.text === found.content) return this.agree(found);
    if (found.version === this.version) {
      // A draft of what is still there: the difference is the person's own.
      this.saved = this.Text.of(found.content.split(this.editor.lineEnd));
      return undefined;
    }
    if (!this.dirty) {
      this.editor.replace(found.content);
      return this.agree(found);
    }
    return this.differ();
  }

  agree(found) {
    this.version = found.version;
    this.saved = this.editor.doc;
    this.conflict = false;
    drafts.remove(this.path).catch(() => {});
    this.say(WHY[this.locked] ?? "");
  }

  differ() {
    this.conflict = true;
    // Where the two are side by side, the choice is there already.
    if (!this.comparison) this.say("Changed on disk meanwhile.", { Compare: () => this.compare() });
  }

  async showView(found) {
    // Text that is not saved is never replaced by a picture.
    if (this.dirty) return this.differ();
    this.editor?.destroy();
    this.editor = null;
    this.state = "view";
    this.language = "";
    return showView(this.surface, found, () => this.openAnyway());
  }

  async openAnyway() {
    const bytes = await api.bytes(this.path).catch((error) => this.say(error.message));
    if (!bytes) return;
    await this.showText(decoded(bytes), { agreed: true });
    this.lock("not_utf8");
  }

  // What can be read here, and not saved as it was, or not at all.
  lock(why) {
    this.locked = why;
    this.editor.readOnly = true;
    this.say(WHY[why]);
    this.told();
  }

  // Typing may begin before the language is there: what it is compared with is known by then.
  async showText(text, { version = null, agreed = false }) {
    const { Editor, Text } = await import("../../libraries/editor.js");
    this.Text = Text;
    this.surface.replaceChildren();
    this.editor?.destroy();
    this.editor = new Editor({
      parent: this.surface,
      text,
      changed: () => this.saving.changed(),
      moved: () => this.told(),
    });
    this.editor.wrap = localStorage.getItem("wordWrap") === "on";
    this.state = "text";
    this.locked = "";
    this.version = version;
    if (agreed) this.agree({ version });
    await this.colour();
  }

  async colour() {
    this.language = await this.editor.show(this.path);
    this.told();
  }

  save(version) {
    return this.saving.save(version);
  }

  compare() {
    return compare(this);
  }

  async forget() {
    this.saving.stopDraft();
    await drafts.remove(this.path).catch(() => {});
  }

  async discard() {
    await this.forget();
    this.editor.destroy();
    this.editor = this.saved = this.version = null;
    this.state = "closed";
    this.say("");
    await this.load();
  }

  say(words, ways) {
    this.bar.say(words, ways);
  }

  async move(path) {
    const before = this.path;
    this.path = path;
    await this.moveDraft(before).catch(() => {});
    if (this.editor) await this.colour();
  }

  // Also where the file was not shown yet, and the draft is all there is.
  async moveDraft(before) {
    const draft = await drafts.get(before);
    if (this.dirty) await this.saving.writeDraft();
    else if (draft) await drafts.put(this.path, draft);
    await drafts.remove(before);
  }

  close() {
    this.saving.stop();
    this.comparison?.leave();
    this.editor?.destroy();
    this.panel.remove();
  }
}
