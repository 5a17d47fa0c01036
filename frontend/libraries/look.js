// How the editor looks: Manta's own colours, by their names, so that it follows the theme by itself.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const highlights = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit], color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--code-comment)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.labelName], color: "var(--code-function)" },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: "var(--code-type)" },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)], color: "var(--code-property)" },
  { tag: [tags.link, tags.url], color: "var(--accent)", textDecoration: "underline" },
  { tag: tags.heading, color: "var(--code-keyword)", fontWeight: "650" },
  { tag: tags.strong, fontWeight: "650" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: tags.inserted, color: "var(--good)" },
  { tag: [tags.deleted, tags.invalid], color: "var(--bad)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "var(--code-size, 0.875rem)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "var(--s2) 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--code-selection)" },
  ".cm-activeLine": { backgroundColor: "var(--code-line)" },
  ".cm-gutters": { color: "var(--text-quiet)", backgroundColor: "var(--surface)", border: "0" },
  ".cm-activeLineGutter": { color: "var(--text)", backgroundColor: "var(--code-line)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 var(--s2) 0 var(--s3)" },
  ".cm-foldPlaceholder": { color: "var(--text-quiet)", backgroundColor: "var(--sunken)", border: "0" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--code-selection)", outline: "1px solid var(--line-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--bad)" },
  ".cm-selectionMatch": { backgroundColor: "var(--code-match)" },
  ".cm-searchMatch": { backgroundColor: "var(--code-match)", outline: "1px solid var(--warn)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--code-selection)" },
  ".cm-specialChar": { color: "var(--bad)" },
  ".cm-panels": { color: "var(--text)", backgroundColor: "var(--sunken)", zIndex: "2" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search, .cm-panel.cm-gotoLine": { padding: "var(--s2) var(--s6) var(--s2) var(--s3)", font: "0.875rem/1.4 var(--sans)" },
  ".cm-panel input, .cm-panel button, .cm-panel label": { fontFamily: "var(--sans)", fontSize: "0.875rem" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", fontSize: "0.8125rem" },
  ".cm-panel.cm-search button, .cm-panel.cm-search label": { textTransform: "capitalize" },
  ".cm-textfield": { padding: "var(--s1) var(--s2)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius)", color: "var(--text)", backgroundColor: "var(--surface)" },
  ".cm-button": { padding: "var(--s1) var(--s3)", border: "1px solid var(--line)", borderRadius: "var(--radius)", color: "var(--text)", backgroundColor: "var(--surface)", backgroundImage: "none" },
  ".cm-button:hover": { borderColor: "var(--line-strong)" },
  ".cm-button:active": { backgroundImage: "none" },
  ".cm-panel [name=close]": { width: "1.75rem", height: "1.75rem", color: "var(--text-quiet)", fontSize: "1.25rem", cursor: "pointer" },
  ".cm-tooltip": { color: "var(--text)", backgroundColor: "var(--surface)", border: "1px solid var(--line)", borderRadius: "var(--radius)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--on-accent)", backgroundColor: "var(--accent)" },
  // The two sides of a comparison
  ".cm-changedLine, .cm-merge-b .cm-changedLine": { backgroundColor: "var(--code-added)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--code-removed)" },
  "&.cm-merge-b .cm-changedText": { background: "var(--code-added-text)" },
  "&.cm-merge-a .cm-changedText": { background: "var(--code-removed-text)" },
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: '"⋯"' },
  ".cm-collapsedLines": { color: "var(--text-quiet)", background: "var(--sunken)" },
});

export const look = [theme, syntaxHighlighting(highlights)];
