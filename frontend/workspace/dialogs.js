// A question that is asked in a <dialog>.
const waiting = new WeakMap();

// Resolves with the dialog's returnValue; with "" when it was closed without an answer. A dialog
// tells of its closing later than it closes: asked again by then, the earlier question has no
// answer, and what is told is not about the later one.
export const askIn = (dialog) =>
  new Promise((resolve) => {
    waiting.get(dialog)?.("");
    waiting.set(dialog, resolve);
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.open) return;
      waiting.delete(dialog);
      resolve(dialog.returnValue);
    };
    dialog.showModal();
  });
