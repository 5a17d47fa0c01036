// One stream of a log, as a terminal shows it: xterm.js reads what is said, and what it makes of that
// is told as lines. A line that has left its screen doesn't change any more.
import { lookOf } from "./look.js";

const COLS = 240; // a longer line goes over several rows, and is one line again when it is told
const ROWS = 50;
const PIECE = 2048; // characters that are read at once: no more rows can leave the screen
const LONGEST = 250; // rows of a line
const ALTERNATE = [47, 1047, 1049];
// All but colours: what may lead the cursor back to lines that were said before.
const MOVES = /\x9b|\x1b(?!\[[\d;:]*m)/;
const LONGEST_SEQUENCE = 64; // characters that may be in the piece before

const runsOf = (row, cell) => {
  const runs = [];
  let rest = row.translateToString(true).length;
  for (let column = 0; rest > 0 && row.getCell(column, cell); column += 1) {
    if (!cell.getWidth()) continue; // the second half of a wide character
    const text = cell.getChars() || " ";
    const look = lookOf(cell);
    const last = runs.at(-1);
    if (last && last.look === look) last.text += text;
    else runs.push({ text, look });
    rest -= text.length;
  }
  return runs;
};
const keyOf = (runs) => runs.map(({ text, look }) => `${look?.key ?? ""}\n${text}`).join("\n");

// `added` takes each new line with the number of the write that began it, `changed` one that is other
// now. A line has its kind and its rows, each of runs of { text, look }.
export const createScreen = ({ createParser, kind, added, changed }) => {
  const terminal = createParser({
    cols: COLS,
    rows: ROWS,
    scrollback: PIECE,
    convertEol: true,
    scrollOnEraseInDisplay: true,
  });
  const { normal } = terminal.buffer;
  const cell = normal.getNullCell();
  // Rows that may still change, from the screen's first, which the marker keeps.
  let live = [];
  let top = terminal.registerMarker(0);
  let cursor = 0; // the row that was written last
  let tail = "";
  let isOver = false;

  // A log has no other screen, and keeps what a program would clear away.
  for (const final of ["h", "l"]) {
    const isAlternate = (numbers) => numbers.some((number) => ALTERNATE.includes(number));
    terminal.parser.registerCsiHandler({ prefix: "?", final }, isAlternate);
  }
  terminal.parser.registerCsiHandler({ final: "J" }, ([what]) => what === 3);

  const begin = (row, order) => {
    const before = row.isWrapped ? live.at(-1)?.line : null;
    const line = before && before.rows.length < LONGEST ? before : { kind, rows: [] };
    live.push({ line, at: line.rows.length, key: null });
    line.rows.push([]);
    if (line !== before) added(line, order);
  };
  const settle = (order, moves) => {
    if (isOver) return;
    const isCleared = top.line < 0;
    if (isCleared) live = [];
    const first = isCleared ? normal.baseY : top.line;
    const last = normal.baseY + normal.cursorY;
    const start = moves || isCleared ? first : first + Math.min(cursor, live.length);
    for (let y = start; y < first + live.length || y <= last; y += 1) {
      const row = normal.getLine(y);
      const runs = runsOf(row, cell);
      if (y - first === live.length) {
        if (y === last && !runs.length) break; // nothing is said in it yet
        begin(row, order);
      }
      const shown = live[y - first];
      const key = keyOf(runs);
      if (key === shown.key) continue;
      shown.key = key;
      shown.line.rows[shown.at] = runs;
      changed(shown.line);
    }
    live.splice(0, normal.baseY - first);
    top.dispose();
    top = terminal.registerMarker(-normal.cursorY);
    cursor = normal.cursorY;
  };
  const read = (piece, order) => {
    const moves = MOVES.test(tail + piece);
    tail = piece.slice(-LONGEST_SEQUENCE);
    terminal.write(piece, () => settle(order, moves));
  };

  return {
    // Read some text; the promise is kept once its lines are told.
    write: (text, order) =>
      new Promise((resolve) => {
        for (let start = 0; start < text.length; start += PIECE) {
          read(text.slice(start, start + PIECE), order);
        }
        terminal.write("", resolve);
      }),
    dispose: () => {
      isOver = true;
      terminal.dispose();
    },
  };
};
