// One file's editor, over CodeMirror. What files, tabs and saving are is the part of workspace/editor/.
import "./adopted-style.js";
import { gotoLine, openSearchPanel } from "@codemirror/search";
import { Compartment, EditorState, Text } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { languageOf } from "./languages.js";
import { lineEndOf, lineEndsIn, setup } from "./setup.js";

// Above it, colours cost more than they tell.
const HIGHLIGHTED_UP_TO = 1_000_000;

export { Text };

// Loaded only when there is something to compare.
export const compare = async (options) => (await import("./compare.js")).compare(options);

export class Editor {
  #view;
  #lineEnd;
  #lineEnds = new Compartment();
  #language = new Compartment();
  #wrap = new Compartment();
  #writable = new Compartment();
  #label = new Compartment();

  constructor({ parent, text, changed, moved }) {
    this.#lineEnd = lineEndOf(text);
    const extensions = [
      setup(text),
      this.#lineEnds.of(lineEndsIn(text)),
      this.#language.of([]),
      this.#wrap.of([]),
      this.#writable.of([]),
      this.#label.of([]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed();
        if (update.docChanged || update.selectionSet) moved();
      }),
    ];
    this.#view = new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
  }

  // Never changes: it can be kept, and compared with a later one, at no cost.
  get doc() {
    return this.#view.state.doc;
  }

  get text() {
    return this.doc.sliceString(0, undefined, this.#lineEnd);
  }

  get lineEnd() {
    return this.#lineEnd;
  }

  get position() {
    const { head } = this.#view.state.selection.main;
    const line = this.doc.lineAt(head);
    return { line: line.number, column: head - line.from + 1 };
  }

  // Only what differs is replaced, so that the cursor and the scroll position stay.
  replace(text) {
    this.#lineEnd = lineEndOf(text);
    this.#configure(this.#lineEnds, lineEndsIn(text));
    const before = this.doc.toString();
    const after = this.#view.state.toText(text).toString();
    const shorter = Math.min(before.length, after.length);
    let from = 0;
    while (from < shorter && before[from] === after[from]) from += 1;
    let end = 0;
    while (end < shorter - from && before.at(-1 - end) === after.at(-1 - end)) end += 1;
    const insert = Text.of(after.slice(from, after.length - end).split("\n"));
    this.#view.dispatch({ changes: { from, to: before.length - end, insert } });
  }

  goTo(line) {
    const { from } = this.doc.line(Math.min(Math.max(line, 1), this.doc.lines));
    this.#view.dispatch({
      selection: { anchor: from },
      effects: EditorView.scrollIntoView(from, { y: "center" }),
    });
    this.focus();
  }

  askForLine() {
    gotoLine(this.#view);
  }

  find() {
    openSearchPanel(this.#view);
  }

  focus() {
    this.#view.focus();
  }

  set wrap(on) {
    this.#configure(this.#wrap, on ? EditorView.lineWrapping : []);
  }

  set readOnly(on) {
    this.#configure(this.#writable, EditorState.readOnly.of(on));
  }

  // Tells the name of the language, in whose colours it is then shown.
  async show(path) {
    this.#configure(this.#label, EditorView.contentAttributes.of({ "aria-label": path }));
    const language = languageOf(path);
    if (!language) return "Plain text";
    if (this.doc.length > HIGHLIGHTED_UP_TO) return `${language.name}, no colours: large file`;
    this.#configure(this.#language, await language.load());
    return language.name;
  }

  #configure(compartment, extension) {
    this.#view.dispatch({ effects: compartment.reconfigure(extension) });
  }

  destroy() {
    this.#view.destroy();
  }
}
