// How a character of a log looks: what xterm.js read of its colours, as classes and colours of CSS.
const MOST = 1000;
const LEVELS = [0, 95, 135, 175, 215, 255];
const FLAGS = {
  bold: "isBold",
  dim: "isDim",
  italic: "isItalic",
  underline: "isUnderline",
  strike: "isStrikethrough",
  hidden: "isInvisible",
};

// Of the 240 colours after the 16 named ones.
const mixed = (number) => {
  if (number >= 232) return Array(3).fill(8 + 10 * (number - 232));
  return [36, 6, 1].map((step) => LEVELS[Math.floor((number - 16) / step) % 6]);
};
const colour = (isDefault, isMixed, number) => {
  if (isDefault) return null;
  if (isMixed) return { parts: [number >> 16, (number >> 8) & 255, number & 255] };
  return number < 16 ? { name: number % 8 } : { parts: mixed(number) };
};
const css = ({ parts }) => `rgb(${parts.join(" ")})`;
const isLight = ({ parts: [red, green, blue] }) => {
  const [r, g, b] = [red, green, blue].map((part) => (part / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18;
};

const read = (cell) => {
  let text = colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor());
  let ground = colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor());
  const classes = Object.keys(FLAGS).filter((name) => cell[FLAGS[name]]()).map((name) => `ansi-${name}`);
  const isSwapped = Boolean(cell.isInverse());
  if (isSwapped) [text, ground] = [ground, text];
  // On a colour of its own, text has the one that can be read on it.
  if (ground?.parts) return { classes, ground: css(ground), colour: isLight(ground) ? "black" : "white" };
  if (ground) classes.push(`ansi-on-${ground.name}`);
  else if (isSwapped) classes.push("ansi-inverse");
  else if (text?.parts) return { classes: [...classes, "ansi-mixed"], mixed: css(text) };
  else if (text) classes.push(`ansi-${text.name}`);
  return { classes };
};

const names = [...Object.values(FLAGS), "isInverse"];
const flagsOf = (cell) => {
  let flags = 0;
  for (const name of names) flags = 2 * flags + (cell[name]() ? 1 : 0);
  return flags;
};

const looks = new Map();
let last = [];
let lastLook = null;
// One object for each look; nothing for text as it usually is. Most cells look as the one before.
export const lookOf = (cell) => {
  if (cell.isAttributeDefault()) return null;
  const [text, ground] = [cell.getFgColorMode() + cell.getFgColor(), cell.getBgColorMode() + cell.getBgColor()];
  const flags = flagsOf(cell);
  if (lastLook && last[0] === text && last[1] === ground && last[2] === flags) return lastLook;
  last = [text, ground, flags];
  const key = last.join();
  if (!looks.has(key)) {
    if (looks.size >= MOST) looks.clear();
    looks.set(key, { key, ...read(cell) });
  }
  lastLook = looks.get(key);
  return lastLook;
};
export const dress = (span, { classes, ground = "", colour: text = "", mixed: own = "" }) => {
  span.className = classes.join(" ");
  span.style.backgroundColor = ground;
  span.style.color = text;
  if (own) span.style.setProperty("--ansi", own);
};
