// Lines of a log in pieces, that the browser draws only where they are seen. A flood never holds up
// the page: so many lines a frame, and of very many the last.
window.logParts ??= {};
(() => {
  const MOST = 20000;
  const A_PIECE = 200;
  const A_FRAME = 1000;
  const NEAR_END = 40;

  // `added` is called with each line's element; `cut` once there are more than can be kept.
  window.logParts.lines = ({ element, added, cut }) => {
    let waiting = [];
    let kept = 0;
    let drawing = 0;
    let paused = false;
    let follows = true;

    const piece = () => {
      const last = element.lastElementChild;
      if (last && last.childElementCount < A_PIECE) return last;
      const next = document.createElement("div");
      next.className = "log-chunk";
      element.append(next);
      return next;
    };
    const append = ({ kind, text }) => {
      const line = document.createElement("div");
      if (kind !== "stdout") line.className = `log-${kind}`;
      ansi.render(line, text || " ");
      piece().append(line);
      kept += 1;
      added(line);
    };
    const forget = () => {
      while (kept > MOST && element.childElementCount > 1) {
        kept -= element.firstElementChild.childElementCount;
        element.firstElementChild.remove();
        cut(MOST);
      }
    };
    const draw = () => {
      drawing = 0;
      waiting.splice(0, A_FRAME).forEach(append);
      forget();
      if (follows) element.scrollTop = element.scrollHeight;
      soon();
    };
    const soon = () => {
      if (!drawing && !paused && waiting.length) drawing = requestAnimationFrame(draw);
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
          cut(MOST);
        }
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
        [waiting, kept, drawing, follows] = [[], 0, 0, true];
        element.replaceChildren();
      },
    };
  };
})();
