// What is not saved is asked about before its tab closes.
window.editorParts ??= {};
(() => {
  // "save", "discard" or "cancel", which Escape is, too.
  const ask = (file) =>
    new Promise((resolve) => {
      const dialog = document.getElementById("editor-closing");
      dialog.querySelector("[data-name]").textContent = file.name;
      dialog.returnValue = "cancel";
      dialog.onclose = () => resolve(dialog.returnValue);
      dialog.showModal();
    });

  // What can't be saved stays open, and says why.
  window.editorParts.mayClose = async (file) => {
    const answer = await ask(file);
    if (answer === "save") await file.save();
    if (answer === "discard") await file.forget();
    return answer === "discard" || (answer === "save" && !file.dirty);
  };
})();
