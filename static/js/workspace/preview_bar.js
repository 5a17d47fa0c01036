// The preview's address bar: which port and page, how wide, and what opens one from elsewhere.
(() => {
  const { body } = document;
  const at = (id) => document.getElementById(id);

  const choose = (port, path) => {
    const select = at("preview-port");
    offer([port]);
    const changed = select.value !== String(port);
    select.value = port;
    at("preview-path").value = path || "/";
    sync();
    if (changed) htmx.trigger(select, "change");
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

  const offer = (ports) => {
    const select = at("preview-port");
    if (!select) return;
    const known = new Set([...select.options].map((option) => option.value));
    for (const port of ports.map(String)) {
      if (!known.has(port)) select.add(new Option(port, port));
    }
  };

  body.addEventListener("preview:open", (event) => {
    if (!at("preview-form")) return;
    choose(event.detail.port, event.detail.path);
    body.dispatchEvent(new CustomEvent("pane:show", { detail: { pane: "preview" } }));
    at("preview-form").requestSubmit();
  });
  body.addEventListener("ports:changed", (event) => {
    offer((event.detail?.ports || []).filter((port) => !port.loopbackOnly).map(({ port }) => port));
  });
  body.addEventListener("htmx:afterSwap", (event) => {
    if (!event.target.closest?.("#ports-list")) return;
    offer([...document.querySelectorAll("#ports-list [data-port]")].map((row) => row.dataset.port));
  });

  body.addEventListener("change", (event) => {
    if (event.target.id === "preview-width") {
      event.target.closest("[data-preview]").dataset.width = event.target.value;
    }
    if (event.target.id !== "preview-port" || !event.isTrusted) return;
    at("preview-path").value = "/";
    sync();
    at("preview-form").requestSubmit();
  });
  body.addEventListener("input", (event) => {
    if (event.target.id === "preview-path") sync();
  });
})();
