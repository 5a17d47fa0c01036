// Lines of a log in pieces, that the browser draws only where they are seen. A flood never holds up
// the page: so many lines a frame, and of very many the last.
import { dress } from "./look.js";

const MOST = 20000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
const A_PIECE = 200;
const A_FRAME = 1000;
const NEAR_END = 40;

const draw = (node, { rows }) => {
  node.replaceChildren();
  for (const { text, look } of rows.flat()) {
    if (!look) {
      node.append(text);
      continue;
    }
    const span = document.createElement("span");
    span.textContent = text;
    dress(span, look);
    node.append(span);
  }
  if (!node.firstChild) node.append(" ");
};

// `added` is called with each line's element once it is drawn, or drawn anew; `cut` once there are
// more than can be kept, with a sentence that says so.
export const createLines = ({ element, added, cut }) => {
  let waiting = [];
  let others = new Set(); // drawn ones that have changed
  let kept = 0;
  let characters = 0;
  let drawing = 0;
  let paused = false;
  let follows = true;

  const piece = () => {
    const last = element.lastElementChild;
    if (last && last.childElementCount < A_PIECE) return last;
    const next = document.createElement("div");
    next.className = "log-chunk";
    next.characters = 0;
    element.append(next);
    return next;
  };
  const append = (line) => {
    const node = document.createElement("div");
    if (line.kind !== "stdout") node.className = `log-${line.kind}`;
    draw(node, line);
    line.node = node;
    const into = piece();
    into.append(node);
    into.characters += node.textContent.length;
    characters += node.textContent.length;
    kept += 1;
    added(node);
  };
  const redraw = (line) => {
    draw(line.node, line);
    added(line.node);
  };
  const forget = () => {
    while ((kept > MOST || characters > MOST_CHARACTERS) && element.childElementCount > 1) {
      const { childElementCount, characters: many } = element.firstElementChild;
      [kept, characters] = [kept - childElementCount, characters - many];
      element.firstElementChild.remove();
      cut(`Only the last ${MOST.toLocaleString("en")} lines are shown.`);
    }
  };
  const show = () => {
    drawing = 0;
    others.forEach(redraw);
    others = new Set();
    waiting.splice(0, A_FRAME).forEach(append);
    forget();
    if (follows) element.scrollTop = element.scrollHeight;
    soon();
  };
  const soon = () => {
    if (!drawing && !paused && (waiting.length || others.size)) drawing = requestAnimationFrame(show);
  };

  element.onscroll = () => {
    follows = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
  };
  return {
    add: (said) => {
      // One by one: a call has no room for very many arguments.
      for (const each of said) waiting.push(each);
      // Also while paused no more is kept than can be shown.
      if (waiting.length > MOST) {
        waiting = waiting.slice(-MOST);
        cut(`Only the last ${MOST.toLocaleString("en")} lines are shown.`);
      }
      soon();
    },
    change: (line) => {
      if (line.node?.isConnected) others.add(line);
      soon();
    },
    pause: (on) => {
      paused = on;
      if (!on) return soon();
      cancelAnimationFrame(drawing);
      drawing = 0;
    },
    clear: () => {
      cancelAnimationFrame(drawing);
      [waiting, others, kept, characters, drawing, follows] = [[], new Set(), 0, 0, 0, true];
      element.replaceChildren();
    },
  };
};
