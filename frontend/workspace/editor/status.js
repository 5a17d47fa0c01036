// What the editor pane says of the file in front: below the text, and by which buttons can be pressed.
const part = (name) => document.querySelector(`[data-editor-${name}]`);

const stateOf = (file) => {
  if (file.state === "loading") return "Opening…";
  if (file.state !== "text") return "";
  if (file.readOnly) return "Read only";
  return file.saving.words || (file.dirty ? "Unsaved" : "Saved");
};
const put = (name, words) => {
  const element = part(name);
  // A screen reader reads what is put into a live region, changed or not.
  if (element.textContent !== words) element.textContent = words;
};

export const showStatus = (pane, file) => {
  part("title").hidden = Boolean(file);
  pane.querySelector(".editor-empty").hidden = Boolean(file);
  pane.querySelector(".editor-status").hidden = !file;
  for (const button of document.querySelectorAll("[data-editor-does]")) {
    button.disabled = !file || (button.dataset.editorDoes !== "close" && !file.editor);
  }
  if (!file) return;
  put("path", file.path);
  put("state", stateOf(file));
  const ending = file.editor?.lineEnd === "\r\n" ? ", CRLF" : "";
  put("language", file.editor ? file.language + ending : "");
  const at = file.editor?.position;
  put("position", at ? `Ln ${at.line}, Col ${at.column}` : "");
};
