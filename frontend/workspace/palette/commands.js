// Commands by a few of their letters, those that were used last before others.
import * as commands from "../commands.js";

const RECENT = 8;
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

export const commandsFor = (query) => {
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
        commands.press(element);
      },
    }));
};
