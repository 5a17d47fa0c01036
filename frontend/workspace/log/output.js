// What a process says becomes lines: each of its streams has a screen of its own, so that one never
// writes into a line of the other.
import { createScreen } from "./screen.js";

const UNITS = ["bytes", "KB", "MB", "GB"];
const sizeOf = (bytes) => {
  if (bytes === null) return "A part";
  const step = Math.max(0, Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes || 1) / 3)));
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${UNITS[step]}`;
};
const NOTES = {
  restart: ({ data }) => data.trim(),
  truncated: ({ bytes }) => `${sizeOf(bytes)} of the log is no longer kept.`,
};
const noteOf = (text) => ({ kind: "note", rows: [[{ text, look: null }]] });

// `module` is xterm.js, as a promise; `lost` takes a sentence on what can't be shown.
export const createOutput = ({ module, lines, lost }) => {
  let screens = {};
  let fresh = [];
  let run = 0;
  let reading = Promise.resolve();

  const screen = (createParser, kind) => {
    const added = (line, order) => fresh.push({ line, order });
    screens[kind] ??= createScreen({ createParser, kind, added, changed: lines.change });
    return screens[kind];
  };
  // What follows one another on one stream is read at once.
  const joined = (said) => {
    const found = [];
    for (const each of said) {
      if (each.type === found.at(-1)?.type && !NOTES[each.type]) found.at(-1).data += each.data;
      else if (NOTES[each.type] || each.data) found.push({ ...each });
    }
    return found;
  };
  const reset = () => {
    Object.values(screens).forEach((each) => each.dispose());
    screens = {};
    fresh = [];
    run += 1;
    reading = Promise.resolve();
  };
  const take = (createParser) => (each, order) => {
    const note = NOTES[each.type]?.(each);
    if (!note) return screen(createParser, each.type).write(each.data, order);
    if (each.type === "truncated") {
      lost(note);
      screens = {}; // no line goes on over a gap
    }
    return fresh.push({ line: noteOf(note), order });
  };
  const read = async (said, own) => {
    const { createParser } = await module;
    if (own !== run) return;
    await Promise.all(joined(said).map(take(createParser)));
    if (own !== run) return; // it was closed, or started again
    const told = fresh.sort((one, other) => one.order - other.order).map(({ line }) => line);
    fresh = [];
    lines.add(told);
  };

  return {
    hear: (said) => {
      const own = run;
      reading = reading.catch(() => {}).then(() => read(said, own));
      return reading;
    },
    note: (text) => lines.add([noteOf(text)]),
    reset,
  };
};
