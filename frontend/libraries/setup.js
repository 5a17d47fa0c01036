// What every editor has, the two of a comparison included.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { gotoLine, highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, crosshairCursor, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, rectangularSelection } from "@codemirror/view";
import { look } from "./look.js";

// Tab indents. Escape, then Tab, leaves: CodeMirror lets the key through for two seconds.
const indenting = [
  { key: "Tab", run: indentMore, shift: indentLess },
  { key: "Ctrl-g", mac: "Cmd-Alt-g", run: gotoLine, preventDefault: true },
];

// A carriage return that isn't part of every line's end stays what it is: a character.
export const lineEndOf = (text) => {
  const ends = text.match(/\r?\n/g) ?? [];
  return ends.length && ends.every((end) => end === "\r\n") ? "\r\n" : "\n";
};

// CodeMirror reads every kind of line end as one, unless told which one there is: then no other kind than
// the file's gets in. Only a text that has carriage returns elsewhere, too, must be told, to keep them.
export const lineEndsIn = (text) => {
  const end = lineEndOf(text);
  return text.replaceAll(end, "").includes("\r") ? EditorState.lineSeparator.of(end) : [];
};

const withOwnLineEnds = (text, state) => text.replace(/\r\n?|\n/g, state.lineBreak);

const indentation = (text) => {
  const [, first = "  "] = text.slice(0, 50000).match(/^(\t| {2,8})\S/m) ?? [];
  return indentUnit.of(first === "\t" ? "\t" : " ".repeat(Math.min(first.length, 4)));
};

export const setup = (text) => [
  indentation(text),
  lineNumbers(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  history(),
  foldGutter(),
  drawSelection(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  rectangularSelection(),
  crosshairCursor(),
  highlightActiveLine(),
  highlightSelectionMatches(),
  search({ top: true }),
  keymap.of([...indenting, ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap]),
  EditorView.clipboardInputFilter.of(withOwnLineEnds),
  // An editable element takes the focus anyway; with a tabindex, accessibility checkers see it.
  EditorView.contentAttributes.of({ spellcheck: "false", autocorrect: "off", autocapitalize: "off", tabindex: "0" }),
  look,
];
