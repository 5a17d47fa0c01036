// The ports pane: shows one in the preview, and asks in a dialog before one is made public.
const { body } = document;
const dialog = () => document.getElementById("publish-dialog");

body.addEventListener("click", (event) => {
  const show = event.target.closest("[data-show-preview]");
  if (show) {
    const detail = { port: Number(show.dataset.showPreview) };
    body.dispatchEvent(new CustomEvent("preview:open", { detail }));
  }
  if (event.target.closest("[data-dialog-close]") && dialog()?.open) {
    event.preventDefault();
    dialog().close();
  }
});
// A dialog can't be opened by attributes alone in every browser; the focus goes back by itself.
body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "publish-dialog" && !dialog().open) dialog().showModal();
});
body.addEventListener("ports:public", () => dialog()?.close());
