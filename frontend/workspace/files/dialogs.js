// What the tree asks people, and tells them.
import { askIn } from "../dialogs.js";

const dialog = document.getElementById("files-dialog");
const confirmation = document.getElementById("files-confirm");

const show = (text, choices) => {
  const notice = document.getElementById("files-notice").content.firstElementChild.cloneNode(true);
  notice.querySelector("p").textContent = text;
  const [button] = notice.getElementsByTagName("button");
  for (const [label, does] of choices) {
    const choice = Object.assign(button.cloneNode(), { textContent: label, onclick: () => { notice.remove(); does(); } });
    button.before(choice);
  }
  button.remove();
  document.getElementById("notices").append(notice);
  return notice;
};
export const say = (text, undo) => {
  const notice = show(text, undo ? [["Undo", undo]] : []);
  if (!undo) notice.classList.add("notice-error");
  setTimeout(() => notice.matches(":hover, :focus-within") || notice.remove(), 15000);
};
// Stays until somebody chooses: what it offers can't be asked for in another way.
export const offer = (text, choices) => show(text, choices).classList.add("notice-error");

export const ask = async (title, value = "") => {
  const input = dialog.querySelector("input");
  dialog.querySelector("h2").textContent = title;
  input.value = value;
  const answered = askIn(dialog);
  const dot = value.lastIndexOf("."), start = value.lastIndexOf("/") + 1;
  input.setSelectionRange(start, dot > start ? dot : value.length);
  return (await answered) === "ok" && input.value ? input.value : null;
};
export const confirm = async (name) => {
  confirmation.querySelector("[data-name]").textContent = name;
  return (await askIn(confirmation)) === "ok";
};

export const listen = () => {
  for (const each of [dialog, confirmation]) each.querySelector("[data-cancel]").onclick = () => each.close();
};
