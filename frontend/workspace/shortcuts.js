// Dialogs that a button opens (data-opens), and the list of shortcuts in one of them.
import { combinations, list, written } from "./commands.js";

const listed = (command) => {
  const row = document.createElement("div");
  const name = document.createElement("dt");
  const keys = document.createElement("dd");
  name.textContent = command.dataset.command;
  for (const combination of combinations(command)) {
    const key = document.createElement("kbd");
    key.textContent = written(combination);
    keys.append(key);
  }
  row.append(name, keys);
  return row;
};
const withKeys = () => list().filter((command) => command.dataset.keys);

document.body.addEventListener("click", (event) => {
  const { opens } = event.target.closest("button")?.dataset ?? {};
  if (!opens) {
    // Beside a dialog, on its backdrop, is on the dialog itself.
    if (event.target.matches("dialog")) event.target.close();
    return;
  }
  if (opens === "shortcuts") {
    document.getElementById("shortcuts-list").replaceChildren(...withKeys().map(listed));
  }
  document.getElementById(opens).showModal();
});
