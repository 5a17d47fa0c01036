// Settings of this browser: <input data-setting="name">, kept in localStorage under that name ("on",
// "off", or the value). Who cares hears "setting:changed" {name, value} on body.
const { body, documentElement: root } = document;
const valueOf = (input) => (input.type === "checkbox" ? (input.checked ? "on" : "off") : input.value);
const apply = (name, value) => {
  if (name === "fontSize") root.style.setProperty("--code-size", `${value}px`);
};

for (const input of document.querySelectorAll("[data-setting]")) {
  const kept = localStorage.getItem(input.dataset.setting);
  if (kept !== null && input.type === "checkbox") input.checked = kept === "on";
  else if (kept !== null) input.value = kept;
  apply(input.dataset.setting, valueOf(input));
}
body.addEventListener("change", (event) => {
  const name = event.target.dataset.setting;
  if (!name || !event.target.validity.valid) return;
  const value = valueOf(event.target);
  localStorage.setItem(name, value);
  apply(name, value);
  body.dispatchEvent(new CustomEvent("setting:changed", { detail: { name, value } }));
});
