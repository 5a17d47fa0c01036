// What is not saved is asked about before its tab closes.
import { askIn } from "../dialogs.js";

const ask = (file) => {
  const dialog = document.getElementById("editor-closing");
  dialog.querySelector("[data-name]").textContent = file.name;
  return askIn(dialog);
};

// What can't be saved stays open, and says why.
export const mayClose = async (file) => {
  const answer = await ask(file);
  if (answer === "save") await file.save();
  if (answer === "discard") await file.forget();
  return answer === "discard" || (answer === "save" && !file.dirty);
};
