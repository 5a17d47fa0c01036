// The preview's address bar: which port and page, how wide, and what opens one from elsewhere.
const { body } = document;
const at = (id) => document.getElementById(id);

const choose = (port, path) => {
  const select = at("preview-port");
  offer([...listed(), port]);
  const changed = select.value !== String(port);
  select.value = port;
  at("preview-path").value = path || "/";
  sync();
  if (changed) htmx.trigger(body, "preview:port");
};

// Manta's own addresses, with the chosen port in the place of the template's 0.
const sync = () => {
  const port = at("preview-port").value;
  const address = at("preview-form").dataset.open.replace("/0/", `/${port}/`);
  at("preview-form").action = `${address}?frame=1`;
  at("preview-open-form").action = address;
  at("preview-open-form").elements.path.value = at("preview-path").value;
  at("preview-open").setAttribute("aria-label", `Open port ${port} in a new tab`);
  document.querySelector("iframe[name=preview]").title = `Preview of port ${port}`;
};

// What the list of ports has, and what is shown, though it may have closed.
const offer = (ports) => {
  const select = at("preview-port");
  if (!select) return;
  const shown = select.value;
  const offered = [...new Set([...ports.map(Number), Number(shown)])].sort((one, other) => one - other);
  if (offered.join() === [...select.options].map((option) => option.value).join()) return;
  select.replaceChildren(...offered.map((port) => new Option(port, port)));
  select.value = shown;
};
const listed = () => [...document.querySelectorAll("#ports-list [data-port]")].map((row) => row.dataset.port);

body.addEventListener("preview:open", (event) => {
  if (!at("preview-form")) return;
  choose(event.detail.port, event.detail.path);
  body.dispatchEvent(new CustomEvent("pane:show", { detail: { pane: "preview" } }));
  at("preview-form").requestSubmit();
});
body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.closest?.("#ports-list")) offer(listed());
});
body.addEventListener("click", (event) => {
  if (!event.target.closest("#preview-home")) return;
  at("preview-path").value = "/";
  sync();
});

body.addEventListener("change", (event) => {
  if (event.target.id === "preview-width") {
    event.target.closest("[data-preview]").dataset.width = event.target.value;
  }
  if (event.target.id !== "preview-port") return;
  at("preview-path").value = "/";
  sync();
  at("preview-form").requestSubmit();
});
body.addEventListener("input", (event) => {
  if (event.target.id === "preview-path") sync();
});
