// The row of tabs over the terminals: choosing, naming and closing one, by pointer and by key.
export const tabs = ({ row, template, choose, rename, close, leave }) => {
  const tabOf = (key) => row.querySelector(`[data-key="${key}"] [role=tab]`);
  const all = () => [...row.querySelectorAll("[role=tab]")];
  const keyOf = (node) => node.closest("[data-key]")?.dataset.key;
  // A list of tabs may hold nothing else; beside each lies what closes it.
  const own = () => {
    const ids = [...row.querySelectorAll("[data-key]")].map(({ dataset }) => `terminal-tab-${dataset.key}`);
    row.querySelector("[role=tablist]").setAttribute("aria-owns", ids.join(" "));
  };

  const edit = (tab) => {
    const input = document.createElement("input");
    const [key, before] = [keyOf(tab), tab.textContent];
    Object.assign(input, { value: before, maxLength: 40, className: "terminal-name" });
    input.setAttribute("aria-label", `New name of ${before}`);
    const end = (keeps) => {
      input.onblur = null;
      const name = input.value.trim();
      input.replaceWith(tab);
      tab.focus();
      if (keeps && name && name !== before) rename(key, name);
    };
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // the tab, which has the focus then, would be pressed
      end(event.key === "Enter");
    };
    input.onblur = () => end(true);
    tab.replaceWith(input);
    input.select();
  };

  row.addEventListener("click", (event) => {
    const key = keyOf(event.target);
    if (!key) return;
    if (event.target.closest("[data-close]")) close(key);
    else if (event.target.closest("[role=tab]")) choose(key, true);
  });
  row.addEventListener("dblclick", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) edit(tab);
  });
  row.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    const tabs = all();
    const at = tabs.indexOf(tab);
    const next = {
      ArrowLeft: tabs.at(at - 1),
      ArrowRight: tabs[(at + 1) % tabs.length],
      Home: tabs[0],
      End: tabs.at(-1),
    }[event.key];
    if (next) {
      choose(keyOf(next), false);
      next.focus();
    } else if (event.key === "F2") edit(tab);
    else if (event.key === "Delete") close(keyOf(tab));
    else if (event.key === "ArrowDown") leave();
    else return;
    event.preventDefault();
  });

  return {
    add: ({ key, name }) => {
      const item = template.content.firstElementChild.cloneNode(true);
      const tab = item.querySelector("[role=tab]");
      item.dataset.key = key;
      tab.id = `terminal-tab-${key}`;
      tab.setAttribute("aria-controls", `terminal-${key}`);
      row.append(item);
      own();
    },
    name: (key, name) => {
      const item = row.querySelector(`[data-key="${key}"]`);
      if (tabOf(key)) tabOf(key).textContent = name;
      item.querySelector("[data-close]").setAttribute("aria-label", `Close ${name}`);
    },
    remove: (key) => {
      row.querySelector(`[data-key="${key}"]`)?.remove();
      own();
    },
    select: (key) => {
      for (const tab of all()) {
        const isIt = keyOf(tab) === key;
        tab.setAttribute("aria-selected", String(isIt));
        tab.tabIndex = isIt ? 0 : -1;
        if (isIt) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    },
    focus: (key) => tabOf(key)?.focus(),
  };
};
