// The stage's preview: filled by posting a form into its frame, which mints the access it needs.
const load = (form) => {
  form.closest("[data-preview]").dataset.preview = "loading";
};

document.addEventListener("submit", (event) => {
  if (event.target.target === "preview") load(event.target);
});

// A frame's load event does not bubble, so it is caught on its way down.
document.addEventListener(
  "load",
  (event) => {
    const preview = event.target.closest?.("[data-preview]");
    if (preview?.dataset.preview === "loading") preview.dataset.preview = "shown";
    // Manta's own page can be read: this one is about the page around it.
    if (event.target.contentDocument?.querySelector("[data-outdated]")) {
      document.body.dispatchEvent(new CustomEvent("page:outdated"));
    }
  },
  true,
);

// The panes' scripts start with their page: where panes take the place of a wait, anew.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse } = event.detail;
  if (target.id !== "stage" || !serverResponse.includes('data-view="open-')) return;
  event.detail.shouldSwap = false;
  sessionStorage.setItem("preview", "awaited");
  document.body.dispatchEvent(new CustomEvent("page:reloads"));
  location.reload();
});

htmx.onLoad((content) => {
  const form = content.querySelector("#preview-form");
  if (!form) return;
  // Who waited for the sandbox sees its page, though it may have fallen asleep again since.
  const awaited = sessionStorage.getItem("preview") === "awaited";
  sessionStorage.removeItem("preview");
  if (awaited || "autoload" in form.dataset) form.requestSubmit();
});
