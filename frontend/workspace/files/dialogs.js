// What the tree asks people, and tells them.
(() => {
  const files = window.filesParts;
  const dialog = document.getElementById("files-dialog");
  const confirm = document.getElementById("files-confirm");
  if (!files) return;

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
  files.say = (text, undo) => {
    const notice = show(text, undo ? [["Undo", undo]] : []);
    if (!undo) notice.classList.add("notice-error");
    setTimeout(() => notice.matches(":hover, :focus-within") || notice.remove(), 15000);
  };
  // Stays until somebody chooses: what it offers can't be asked for in another way.
  files.offer = (text, choices) => show(text, choices).classList.add("notice-error");

  files.ask = async (title, value = "") => {
    const input = dialog.querySelector("input");
    dialog.querySelector("h2").textContent = title;
    input.value = value;
    const answered = window.askIn(dialog);
    const dot = value.lastIndexOf("."), start = value.lastIndexOf("/") + 1;
    input.setSelectionRange(start, dot > start ? dot : value.length);
    return (await answered) === "ok" && input.value ? input.value : null;
  };
  files.confirm = async (name) => {
    confirm.querySelector("[data-name]").textContent = name;
    return (await window.askIn(confirm)) === "ok";
  };
  for (const each of [dialog, confirm]) each.querySelector("[data-cancel]").onclick = () => each.close();
})();
