// Files by their names, asked for a moment after the last letter.
const WAIT_MS = 150;
const entry = ({ path }) => ({
  name: path.split("/").at(-1),
  where: path,
  run: () => document.body.dispatchEvent(new CustomEvent("files:open", { detail: { path } })),
});

// `told` is called once something was found, or nothing.
export const fileSearch = (from, told) => {
  let asked = 0;
  let later;
  const files = { found: [], looking: false };

  const find = async (query) => {
    const mine = asked;
    const answer = await fetch(from + encodeURIComponent(query)).catch(() => null);
    const { matches = [] } = answer?.ok ? await answer.json() : {};
    if (mine !== asked) return;
    files.looking = false;
    files.found = matches.filter(({ kind }) => kind === "file").map(entry);
    told();
  };
  // An empty question forgets what was found.
  files.ask = (query) => {
    asked += 1;
    files.found = [];
    files.looking = query !== "";
    clearTimeout(later);
    if (files.looking) later = setTimeout(find, WAIT_MS, query);
  };
  return files;
};
