// What the tree asks people, and tells them.
(() => {
  const files = window.filesParts;
  const dialog = document.getElementById("files-dialog");
  const confirm = document.getElementById("files-confirm");
  if (!files) return;

  files.say = (text, undo) => {
    const notice = document.getElementById("files-notice").content.firstElementChild.cloneNode(true);
    notice.querySelector("p").textContent = text;
    const button = notice.querySelector("button");
    button.hidden = !undo;
    button.onclick = () => { notice.remove(); undo(); };
    if (!undo) notice.classList.add("notice-error");
    document.getElementById("notices").append(notice);
    setTimeout(() => notice.matches(":hover, :focus-within") || notice.remove(), 15000);
  };

  files.ask = (title, value = "") => new Promise((resolve) => {
    const input = dialog.querySelector("input");
    dialog.querySelector("h2").textContent = title;
    input.value = value;
    dialog.returnValue = "";
    dialog.onclose = () => resolve(dialog.returnValue === "ok" && input.value ? input.value : null);
    dialog.showModal();
    const dot = value.lastIndexOf("."), start = value.lastIndexOf("/") + 1;
    input.setSelectionRange(start, dot > start ? dot : value.length);
  });
  files.confirm = (name) => new Promise((resolve) => {
    confirm.querySelector("[data-name]").textContent = name;
    confirm.returnValue = "";
    confirm.onclose = () => resolve(confirm.returnValue === "ok");
    confirm.showModal();
  });
  for (const each of [dialog, confirm]) each.querySelector("[data-cancel]").onclick = () => each.close();
})();
