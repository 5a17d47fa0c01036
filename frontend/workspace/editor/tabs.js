// The tabs of the open files. Delete closes the one that has the focus, a middle click any.
const strip = () => document.querySelector(".editor-tabs");

const made = (file) => {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.id = `tab-of-${file.panel.id}`;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", file.panel.id);
  tab.append(document.createElement("span"), document.createElement("i"));
  tab.lastChild.dataset.closes = "";
  tab.lastChild.ariaHidden = "true";
  return tab;
};

// Draws what has changed; a tab stays the same element, so that it keeps the focus.
export const draw = (files, current) => {
  const tabs = files.map((file) => file.tab ?? (file.tab = made(file)));
  if (strip().children.length !== tabs.length || tabs.some((tab, i) => strip().children[i] !== tab)) {
    strip().replaceChildren(...tabs);
  }
  for (const file of files) {
    const label = file.dirty ? `${file.name}, not saved` : file.name;
    file.tab.firstChild.textContent = file.name;
    file.tab.title = file.path;
    file.tab.ariaLabel = label;
    file.tab.ariaSelected = String(file === current);
    file.tab.tabIndex = file === current ? 0 : -1;
    file.tab.toggleAttribute("data-dirty", file.dirty);
  }
  strip().hidden = !files.length;
};

export const listen = (files, { show, close }) => {
  const fileOf = (event) => {
    const tab = event.target.closest?.(".editor-tabs [role=tab]");
    return tab && files.find((file) => file.tab === tab);
  };
  document.addEventListener("click", (event) => {
    const file = fileOf(event);
    if (file) (event.target.closest("[data-closes]") ? close : show)(file);
  });
  document.addEventListener("auxclick", (event) => {
    const file = event.button === 1 && fileOf(event);
    if (file) close(file);
  });
  document.addEventListener("keydown", (event) => {
    const file = fileOf(event);
    if (!file) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const ends = { Home: files[0], End: files.at(-1) };
    const next = step ? files.at((files.indexOf(file) + step) % files.length) : ends[event.key];
    if (event.key === "Delete") close(file);
    else if (next) show(next, { focus: "tab" });
    else return;
    event.preventDefault();
  });
};
