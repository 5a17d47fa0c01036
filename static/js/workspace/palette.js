// The palette: commands by a few of their letters, and files by their names while the sandbox is
// awake. Typing alone never wakes it; Enter on what says so does.
(() => {
  const RECENT = 8;
  const WAIT_MS = 150;
  const MOST = 40;
  const { body, documentElement: root } = document;
  const palette = document.getElementById("palette");
  const input = document.getElementById("palette-input");
  const list = document.getElementById("palette-list");
  const note = document.getElementById("palette-note");
  let entries = [];
  let files = [];
  let at = 0;
  let asked = 0;
  let looking = false;
  let later;

  const recent = () => JSON.parse(localStorage.getItem("recent-commands") || "[]");
  const remember = (name) => {
    const names = [name, ...recent().filter((one) => one !== name)].slice(0, RECENT);
    localStorage.setItem("recent-commands", JSON.stringify(names));
  };

  // 0 where the letters aren't all there in order; more where they begin words and stand together.
  const score = (text, letters) => {
    let found = -1;
    let points = 1;
    for (const letter of letters) {
      const next = text.indexOf(letter, found + 1);
      if (next < 0) return 0;
      points += next === found + 1 ? 3 : /\W/.test(text[next - 1] ?? " ") ? 2 : 0;
      found = next;
    }
    return points / Math.sqrt(text.length);
  };

  const commandsFor = (query) => {
    const last = recent();
    const rank = (name) => (last.includes(name) ? RECENT - last.indexOf(name) : 0);
    const letters = query.toLowerCase().replaceAll(" ", "");
    return commands
      .list()
      .map((element) => ({ element, name: element.dataset.command }))
      .map((entry) => ({ ...entry, points: score(entry.name.toLowerCase(), letters) }))
      .filter(({ points }) => points)
      .sort((one, other) => (query && other.points - one.points) || rank(other.name) - rank(one.name))
      .map(({ element, name }) => ({
        name,
        keys: commands.combinations(element)[0],
        run: () => {
          remember(name);
          element.click();
        },
      }));
  };
  const fileFor = ({ path }) => ({
    name: path.split("/").at(-1),
    where: path,
    run: () => body.dispatchEvent(new CustomEvent("files:open", { detail: { path } })),
  });
  const wake = {
    name: "Wake the sandbox, to find files",
    stays: true,
    run: () => body.dispatchEvent(new CustomEvent("inside:wanted")),
  };
  const isAwake = () => root.dataset.inside === "open";

  const option = (entry, index) => {
    const item = document.createElement("li");
    item.id = `palette-option-${index}`;
    item.role = "option";
    for (const [tag, text] of [["span", entry.name], ["small", entry.where], ["kbd", entry.keys && commands.written(entry.keys)]]) {
      if (text) item.append(Object.assign(document.createElement(tag), { textContent: text }));
    }
    return item;
  };
  const select = (index) => {
    at = Math.max(0, Math.min(index, entries.length - 1));
    for (const item of list.children) item.ariaSelected = String(item === list.children[at]);
    list.children[at]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[at]?.id ?? "");
  };
  const render = () => {
    const query = input.value.trim();
    const found = [...commandsFor(query), ...files.map(fileFor)];
    const asks = query && document.querySelector(".panes") && !isAwake();
    entries = [...found.slice(0, MOST), ...(asks ? [wake] : [])];
    list.replaceChildren(...entries.map(option));
    if (asks) note.textContent = "Files are found while the sandbox is awake.";
    else if (entries.length) note.textContent = "";
    else note.textContent = looking ? "Looking…" : "Nothing is called that.";
    select(0);
  };

  const findFiles = async () => {
    const query = input.value.trim();
    const mine = asked;
    const answer = await fetch(input.dataset.filesFrom + encodeURIComponent(query)).catch(() => null);
    const { matches = [] } = answer?.ok ? await answer.json() : {};
    if (mine !== asked) return;
    looking = false;
    files = matches.filter(({ kind }) => kind === "file");
    render();
  };
  const ask = () => {
    asked += 1;
    files = [];
    looking = input.value.trim() !== "" && isAwake();
    render();
    clearTimeout(later);
    if (looking) later = setTimeout(findFiles, WAIT_MS);
  };
  const choose = (entry) => {
    if (!entry) return;
    if (!entry.stays) palette.close();
    entry.run();
  };

  input.addEventListener("input", ask);
  input.addEventListener("keydown", (event) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (to !== undefined) select(to);
    else if (event.key === "Enter") choose(entries[at]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) choose(entries[[...list.children].indexOf(item)]);
  });
  // Opened by a command like any other dialog.
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    input.value = "";
    ask();
    input.focus();
  });
  body.addEventListener("inside:state", () => palette.open && ask());
})();
