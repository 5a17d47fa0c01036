// Where the actions are: the buttons above the tree, its menu, and its keys.
import { actions } from "./actions.js";
import { select, state } from "./tree.js";

const tree = document.getElementById("files-tree");
const menu = document.getElementById("files-menu");
const FREE = ["new-file", "new-folder", "upload", "hidden", "find"];

let at = [0, 0];
const place = () => {
  menu.style.left = `${Math.max(0, Math.min(at[0], innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(0, Math.min(at[1], innerHeight - menu.offsetHeight - 8))}px`;
};
const openMenu = (x, y) => {
  at = [x, y];
  for (const item of menu.children) item.hidden = !state.selected && !FREE.includes(item.dataset.does);
  menu.querySelector('[data-does="hidden"]').setAttribute("aria-checked", String(state.hidden));
  menu.showPopover();
  place();
  menu.querySelector("button:not([hidden])").focus();
};

export const listen = () => {
  document.getElementById("pane-files").addEventListener("click", (event) => {
    const button = event.target.closest("[data-does]");
    if (!button) return;
    const name = button.dataset.does, box = button.getBoundingClientRect();
    if (name === "menu") return openMenu(box.left, box.bottom);
    if (menu.matches(":popover-open")) menu.hidePopover();
    if (state.selected || FREE.includes(name)) actions[name](state.selected);
  });
  tree.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const entry = event.target.closest(".entry");
    if (entry) select(entry);
    const box = (entry || tree).getBoundingClientRect();
    openMenu(event.clientX || box.left + 24, event.clientY || box.top + 24);
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button:not([hidden])")], at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  });
  window.addEventListener("resize", () => menu.matches(":popover-open") && place());
  menu.addEventListener("toggle", (event) => event.newState === "closed" && document.activeElement === document.body && state.selected?.focus());
  tree.addEventListener("keydown", (event) => {
    const name = { F2: "rename", Delete: event.shiftKey ? "delete-for-good" : "delete" }[event.key];
    const entry = event.target.closest(".entry");
    if (!name || !entry) return;
    event.preventDefault();
    actions[name](entry);
  });
};
