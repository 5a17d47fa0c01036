// Copy buttons: <button data-copy="text">.
(() => {
  const SHOWN_MS = 2000;
  const said = document.getElementById("said");

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      // Browsers refuse it on plain http; the text is left selected for Ctrl-C instead.
      const text = button.parentElement.querySelector("[data-copy-text]");
      if (text) getSelection().selectAllChildren(text);
      said.textContent = "Could not copy. The text is selected.";
      return;
    }
    button.dataset.copied = "";
    said.textContent = "Copied";
    setTimeout(() => {
      delete button.dataset.copied;
      said.textContent = "";
    }, SHOWN_MS);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
})();
