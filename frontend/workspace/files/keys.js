// Going about the tree: by mouse, by arrow keys, and by typing the beginning of a name.
import { activate, close, open, select, state } from "./tree.js";

const tree = document.getElementById("files-tree");
const rows = () => [...tree.querySelectorAll(".entry")].filter((row) => !row.closest("ul[hidden]"));

// Names come in any of Unicode's normal forms, and in any case: by the capital ß is ss, and ς is σ.
const plain = (text) => text.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
let typed = "", typedAt = 0;

export const listen = () => {
  tree.addEventListener("click", (event) => {
    const entry = event.target.closest(".entry");
    if (!entry) return;
    document.body.dispatchEvent(new CustomEvent("inside:wanted"));
    select(entry);
    activate(entry);
  });
  tree.addEventListener("focusin", (event) => {
    const entry = event.target.closest(".entry");
    if (entry && entry !== state.selected) select(entry, false);
  });
  tree.addEventListener("keydown", (event) => {
    const entry = event.target.closest(".entry");
    if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = rows(), at = all.indexOf(entry), isOpen = entry.getAttribute("aria-expanded");
    if (event.key.length > 1) typed = ""; // another name begins where one has gone to
    const moves = { ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all.at(-1) };
    if (event.key in moves) select(moves[event.key] || entry);
    else if (event.key === "ArrowRight") isOpen === "true" ? select(all[at + 1] || entry) : isOpen && open(entry);
    else if (event.key === "ArrowLeft") isOpen === "true" ? close(entry) : select(entry.parentElement.closest(".entry") || entry);
    else if (event.key === "Enter" || event.key === " ") activate(entry);
    else if (event.key.length === 1) {
      typed = event.timeStamp - typedAt < 700 ? typed + event.key : event.key;
      typedAt = event.timeStamp;
      const found = [...all.slice(at + (typed.length === 1)), ...all].find((each) => plain(each.dataset.name).startsWith(plain(typed)));
      if (found) select(found);
    } else return;
    event.preventDefault();
  });
};
