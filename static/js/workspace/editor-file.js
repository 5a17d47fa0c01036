// One open file: what is on disk, what is in the editor, and what happens when they part.
window.editorParts ??= {};
(() => {
  const DRAFT_MS = 400;
  const AUTOSAVE_MS = 1000;
  const RETRY_MS = 10000;
  // One thing to do about what failed.
  const wayOn = (error, again) => {
    if (error.status === 401) return { "Sign in": document.getElementById("editor").dataset.signIn };
    if (error.code === "csrf_failed") return { Reload: () => location.reload() };
    return { [error.later ? "Try now" : "Try again"]: again };
  };
  const bundle = () => import(document.getElementById("editor").dataset.bundle);

  class OpenFile {
    version = null; // of what is on disk, as far as it is known; null: nothing is
    saved = null; // the text that version stands for
    editor = null;
    state = "closed"; // closed, loading, asleep, text, view
    words = ""; // about the last save
    language = "";
    readOnly = false;
    conflict = false;

    constructor(path, panel, told) {
      Object.assign(this, { path, panel, told });
      this.bar = Object.assign(document.createElement("div"), { className: "editor-bar", hidden: true });
      this.bar.setAttribute("role", "alert");
      this.surface = Object.assign(document.createElement("div"), { className: "editor-surface" });
      panel.append(this.bar, this.surface);
    }

    get name() {
      return this.path.split("/").pop();
    }

    get dirty() {
      return this.state === "text" && !this.readOnly && !(this.saved && this.editor.doc.eq(this.saved));
    }

    // Without `wakes`, only what this browser has itself is shown.
    async open({ wakes }) {
      if (this.state === "loading" || this.state === "text") return;
      const draft = await editorParts.drafts.get(this.path).catch(() => null);
      if (draft) await this.restore(draft);
      if (wakes) await this.load();
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
      this.say(`Unsaved changes of ${at} are back.`, { Discard: () => this.discard(), Keep: () => this.say("") });
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
        const found = await editorParts.api.read(this.path);
        // What was saved meanwhile is newer than what was found.
        if (!this.saving && this.version === version) await this.meet(found);
      } catch (error) {
        this.failed(error);
      }
      this.told();
    }

    failed(error) {
      if (error.status === 404) return this.vanished();
      if (this.state === "text") return undefined;
      this.state = "view";
      editorParts.view(this.surface, { path: this.path, why: error.message });
      this.say(error.message, wayOn(error, () => this.load()));
      return undefined;
    }

    vanished() {
      this.version = null;
      if (this.state !== "text") {
        this.state = "view";
        return editorParts.view(this.surface, { path: this.path, why: "gone" });
      }
      this.saved = null;
      return this.say("Deleted on disk.", { "Save as new": () => this.save() });
    }

    // What is on disk now, beside what is in the editor.
    async meet(found) {
      if (found.kind === "directory") return this.showView({ path: this.path, why: "folder" });
      if (found.content === null) return this.showView(found);
      if (this.state !== "text") return this.showText(found.content, { version: found.version, agreed: true });
      if (found.version === this.version && this.saved) return undefined;
      if (this.editor.text === found.content) return this.agree(found);
      if (found.version === this.version) {
        // A draft of what is still there: the difference is the person's own.
        this.saved = this.Text.of(found.content.split(/\r?\n/));
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
      editorParts.drafts.remove(this.path).catch(() => {});
      this.say("");
    }

    differ() {
      this.conflict = true;
      this.say("Changed on disk meanwhile.", { Compare: () => this.compare() });
    }

    async showView(found) {
      // Text that is not saved is never replaced by a picture.
      if (this.dirty) return this.differ();
      this.editor?.destroy();
      this.editor = null;
      this.state = "view";
      this.language = "";
      return editorParts.view(this.surface, found, () => this.openAnyway());
    }

    async openAnyway() {
      const bytes = await editorParts.api.bytes(this.path).catch((error) => this.say(error.message));
      if (!bytes) return;
      await this.showText(new TextDecoder().decode(bytes), { agreed: true });
      this.readOnly = this.editor.readOnly = true;
      this.told();
    }

    // Typing may begin before the language is there: what it is compared with is known by then.
    async showText(text, { version = null, agreed = false }) {
      const { Editor, Text } = await bundle();
      this.Text = Text;
      this.surface.replaceChildren();
      this.editor?.destroy();
      this.editor = new Editor({
        parent: this.surface,
        text,
        changed: () => this.changed(),
        moved: () => this.told(),
      });
      this.editor.wrap = localStorage.getItem("wordWrap") === "on";
      this.state = "text";
      this.version = version;
      if (agreed) this.agree({ version });
      await this.colour();
    }

    async colour() {
      this.language = await this.editor.show(this.path);
      this.told();
    }

    changed() {
      this.words = "";
      this.draftTimer ??= setTimeout(() => this.writeDraft(), DRAFT_MS);
      clearTimeout(this.saveTimer);
      if (localStorage.getItem("autosave") === "on") {
        this.saveTimer = setTimeout(() => this.conflict || this.save(), AUTOSAVE_MS);
      }
    }

    async writeDraft() {
      clearTimeout(this.draftTimer);
      this.draftTimer = null;
      if (this.dirty) await editorParts.drafts.put(this.path, { text: this.editor.text, version: this.version });
      else if (this.saved) await editorParts.drafts.remove(this.path);
    }

    async save(version = this.version) {
      if (!this.dirty || this.saving) {
        this.again = this.saving;
        return;
      }
      clearTimeout(this.saveTimer);
      const { doc } = this.editor;
      this.saving = true;
      this.words = "Saving…";
      this.told();
      try {
        const { version: now } = await editorParts.api.write(this.path, this.editor.text, version);
        this.version = now;
        this.saved = doc;
        this.conflict = false;
        this.words = "";
        this.say("");
        await this.writeDraft();
      } catch (error) {
        this.notSaved(error);
      }
      this.saving = false;
      this.told();
      if (this.again) this.save();
    }

    notSaved(error) {
      this.again = false;
      this.words = "Not saved";
      this.writeDraft().catch(() => {});
      if (error.code === "changed_on_disk" || error.code === "file_exists") {
        this.differ();
        this.compare();
        return;
      }
      const trying = error.later ? " Trying again by itself." : "";
      this.say(`Not saved: ${error.message}${trying}`, wayOn(error, () => this.save()));
      if (error.later) this.saveTimer = setTimeout(() => this.save(), RETRY_MS);
    }

    // What a connection that is back makes worth trying.
    retry() {
      if (this.words === "Not saved" && !this.conflict) this.save();
    }

    async compare() {
      let theirs;
      try {
        theirs = await editorParts.api.read(this.path);
      } catch (error) {
        this.failed(error);
        return;
      }
      if (theirs.content === null || theirs.content === undefined) {
        this.say("What is on disk now is no text.", { "Keep mine": () => this.save(theirs.version) });
        return;
      }
      const { compare } = await bundle();
      this.comparison?.destroy();
      const beside = Object.assign(document.createElement("div"), { className: "editor-compare" });
      this.panel.append(beside);
      this.surface.hidden = true;
      const options = { parent: beside, path: this.path, mine: this.editor.text, theirs: theirs.content };
      const shown = await compare(options);
      const leave = () => {
        shown.destroy();
        beside.remove();
        this.surface.hidden = false;
        this.comparison = null;
        this.editor.focus();
      };
      this.comparison = { destroy: leave };
      this.say("Left: on disk. Right: yours, to be edited.", {
        "Keep mine": () => {
          this.editor.replace(shown.text());
          leave();
          this.saved = null;
          this.save(theirs.version);
        },
        "Take theirs": () => {
          this.editor.replace(theirs.content);
          leave();
          this.agree(theirs);
          this.told();
        },
        "Not now": () => {
          leave();
          this.differ();
        },
      });
    }

    async forget() {
      clearTimeout(this.draftTimer);
      this.draftTimer = null;
      await editorParts.drafts.remove(this.path);
    }

    async discard() {
      await this.forget();
      this.editor.destroy();
      this.editor = this.saved = this.version = null;
      this.state = "closed";
      this.say("");
      await this.load();
    }

    // A sentence above the text, with what can be done about it: something to call, or a page.
    say(words, ways = {}) {
      this.bar.hidden = !words;
      const buttons = Object.entries(ways).map(([label, way]) => {
        const leads = typeof way === "string";
        const button = document.createElement(leads ? "a" : "button");
        Object.assign(button, { className: "button small", textContent: label });
        if (leads) button.href = way;
        else {
          button.type = "button";
          button.addEventListener("click", way);
        }
        return button;
      });
      const sentence = Object.assign(document.createElement("p"), { textContent: words });
      this.bar.replaceChildren(sentence, ...buttons);
    }

    async move(path) {
      const draft = await editorParts.drafts.get(this.path);
      await editorParts.drafts.remove(this.path);
      this.path = path;
      if (draft) await this.writeDraft();
      if (this.editor) await this.colour();
    }

    close() {
      clearTimeout(this.saveTimer);
      clearTimeout(this.draftTimer);
      this.comparison?.destroy();
      this.editor?.destroy();
      this.panel.remove();
    }
  }

  window.editorParts.OpenFile = OpenFile;
})();
