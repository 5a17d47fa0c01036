// Saving one open file: when it is asked for, by itself, and again after it failed. What is not saved
// yet is kept as a draft meanwhile.
import * as api from "./api.js";
import { wayOn } from "./bar.js";
import * as drafts from "./drafts.js";

const DRAFT_MS = 400;
const AUTOSAVE_MS = 1000;
const RETRY_MS = 10000;
// In which a change that a save made is told.
const OWN_MS = 5000;

export class Saving {
  words = ""; // about the last save
  underWay = false;
  isAtRisk = false; // neither saved nor kept
  ownChanges = 0; // made by saves here, and not told yet
  ownUntil = 0;

  constructor(file) {
    this.file = file;
  }

  changed() {
    this.words = "";
    this.draftTimer ??= setTimeout(() => this.writeDraft(), DRAFT_MS);
    clearTimeout(this.saveTimer);
    if (localStorage.getItem("autosave") === "on") {
      this.saveTimer = setTimeout(() => this.file.conflict || this.save(), AUTOSAVE_MS);
    }
  }

  async writeDraft() {
    this.stopDraft();
    const { file } = this;
    const kept = await this.keep().then(() => true, () => false);
    this.isAtRisk = file.dirty && !kept;
    if (!this.isAtRisk || !file.bar.isEmpty()) return;
    const words = "This browser can’t keep unsaved changes: it is in private mode, or its storage is full. Save before you leave.";
    file.say(words, { "Save now": () => this.save() });
  }

  async keep() {
    const { file } = this;
    if (file.dirty) await drafts.put(file.path, { text: file.editor.text, version: file.version });
    else if (file.saved) await drafts.remove(file.path);
  }

  stopDraft() {
    clearTimeout(this.draftTimer);
    this.draftTimer = null;
  }

  async save(version = this.file.version) {
    const { file } = this;
    if (!file.dirty || this.underWay) {
      this.again = this.underWay;
      return;
    }
    clearTimeout(this.saveTimer);
    this.underWay = true;
    this.words = "Saving…";
    file.told();
    this.ownChanges = Date.now() < this.ownUntil ? this.ownChanges + 1 : 1;
    this.ownUntil = Infinity;
    try {
      await this.write(version);
      this.ownUntil = Date.now() + OWN_MS;
    } catch (error) {
      this.ownUntil = 0;
      this.failed(error);
    }
    this.underWay = false;
    file.told();
    if (this.again) this.save();
  }

  async write(version) {
    const { file } = this;
    const { doc } = file.editor;
    const { version: now } = await api.write(file.path, file.editor.text, version);
    file.version = now;
    file.saved = doc;
    file.conflict = false;
    this.words = "";
    file.say("");
    await this.writeDraft();
  }

  failed(error) {
    const { file } = this;
    this.again = false;
    this.words = "Not saved";
    this.writeDraft();
    if (error.code === "changed_on_disk" || error.code === "file_exists") {
      file.differ();
      file.compare();
      return;
    }
    const trying = error.later ? " Trying again by itself." : "";
    file.say(`Not saved: ${error.message}${trying}`, wayOn(error, () => this.save()));
    if (error.later) this.saveTimer = setTimeout(() => this.save(), RETRY_MS);
  }

  // Whether a change on disk is what was saved here: each save is one, told before its answer or after
  // it. Where more is told of, somebody else wrote, too.
  isOwn({ kind, times }) {
    const isOwn = kind !== "deleted" && times <= this.ownChanges && Date.now() < this.ownUntil;
    this.ownChanges = isOwn ? this.ownChanges - times : 0;
    return isOwn;
  }

  // What a connection that is back makes worth trying.
  retry() {
    if (this.words === "Not saved" && !this.file.conflict) this.save();
  }

  stop() {
    clearTimeout(this.saveTimer);
    this.stopDraft();
  }
}
