// The log of one process: live, in pieces that the browser draws only where they are seen.
(() => {
  const MOST = 20000;
  const CHUNK = 200;
  // Lines a frame: a flood never holds up the page.
  const A_FRAME = 1000;
  const { body } = document;
  let viewer, lines, name = "", abort = null, read = 0, kept = 0;
  let waiting = [], drawing = false, paused = false, follows = true, stream = "stdout";
  const part = (what) => viewer.querySelector(`[data-log-${what}]`);

  const add = (text, className) => {
    let chunk = lines.lastElementChild;
    if (!chunk || chunk.childElementCount >= CHUNK) {
      chunk = document.createElement("div");
      chunk.className = "log-chunk";
      lines.append(chunk);
    }
    const line = document.createElement("div");
    if (className) line.className = className;
    ansi.render(line, text || " ");
    chunk.append(line);
    kept += 1;
  };
  const draw = () => {
    drawing = false;
    if (paused || !waiting.length) return;
    for (const said of waiting.splice(0, A_FRAME)) add(said.text, said.kind === "stdout" ? "" : `log-${said.kind}`);
    while (kept > MOST && lines.childElementCount > 1) {
      kept -= lines.firstElementChild.childElementCount;
      lines.firstElementChild.remove();
      viewer.dataset.cut = "";
    }
    if (follows) lines.scrollTop = lines.scrollHeight;
    soon();
  };
  const soon = () => {
    if (drawing || !waiting.length || paused) return;
    drawing = true;
    requestAnimationFrame(draw);
  };
  const hear = (line) => {
    if (line.startsWith("[keepalive]")) return;
    read += 1;
    const match = /^(stdout|stderr):/.exec(line);
    if (match) stream = match[1];
    waiting.push({ kind: stream, text: match ? line.slice(match[0].length) : line });
  };

  const follow = async () => {
    abort = new AbortController();
    const { signal } = abort;
    const url = `${viewer.dataset.from}?${new URLSearchParams({ name, follow: 1, after: read })}`;
    try {
      const answer = await fetch(url, { signal });
      if (!answer.ok) throw new Error((await answer.json()).error);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const whole = (rest + value).split("\n");
        rest = whole.pop();
        whole.forEach(hear);
        // Also while paused no more is kept than can be shown.
        if (waiting.length > MOST) waiting = waiting.slice(-MOST);
        soon();
      }
    } catch (error) {
      if (!signal.aborted) waiting.push({ kind: "note", text: String(error.message) });
      soon();
    }
  };
  const open = (which) => {
    close();
    viewer = document.getElementById("process-log");
    lines = part("lines");
    name = which;
    part("name").textContent = name;
    part("download").href = `${viewer.dataset.from}?${new URLSearchParams({ name })}`;
    lines.onscroll = () => {
      follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    };
    viewer.hidden = false;
    follow();
  };
  const close = () => {
    abort?.abort();
    [read, kept, waiting, follows, name] = [0, 0, [], true, ""];
    lines?.replaceChildren();
    if (viewer) viewer.hidden = true;
  };
  const search = (text) => {
    const wanted = text.toLowerCase();
    let found = 0;
    let first = null;
    for (const line of lines.querySelectorAll(".log-chunk > div")) {
      const hit = wanted && line.textContent.toLowerCase().includes(wanted);
      line.toggleAttribute("data-found", Boolean(hit));
      if (hit) {
        found += 1;
        first ||= line;
      }
    }
    part("found").textContent = wanted ? `${found} lines` : "";
    return first;
  };

  const next = (back) => {
    const all = [...lines.querySelectorAll("[data-found]")];
    const at = all.findIndex((line) => line.hasAttribute("data-current"));
    all[at]?.removeAttribute("data-current");
    const to = all.at((at + (back ? -1 : 1)) % all.length);
    to?.setAttribute("data-current", "");
    to?.scrollIntoView({ block: "center" });
  };
  const toggle = (button) => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    return on;
  };
  body.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-shows-log]");
    if (row) open(row.dataset.showsLog);
    if (target.closest("[data-log-close]")) close();
    if (target.closest("[data-closes-form]")) document.getElementById("process-form").replaceChildren();
    const pause = target.closest("[data-log-pause]");
    if (pause) {
      paused = toggle(pause);
      soon();
    }
    const wrap = target.closest("[data-log-wrap]");
    if (wrap) viewer.toggleAttribute("data-wrap", toggle(wrap));
  });
  body.addEventListener("input", ({ target }) => {
    if (target.matches("[data-log-search]")) search(target.value);
  });
  body.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-log-search]") || event.key !== "Enter") return;
    event.preventDefault();
    next(event.shiftKey);
  });

  // The list: asked for anew when something else changed than how busy the processes are.
  let version = "";
  const load = (each) => (each.memory === null ? "" : `${each.cpu ?? 0}% CPU, ${Math.round(each.memory / 1048576)} MB`);
  let latest = [];
  const show = () => {
    for (const each of latest) {
      const row = document.querySelector(`[data-process="${CSS.escape(each.name)}"] [data-load]`);
      if (row) row.textContent = load(each);
    }
  };
  body.addEventListener("processes:changed", ({ detail }) => {
    latest = detail.processes;
    if (detail.version !== version) htmx.trigger("#process-list", "processes:refresh");
    version = detail.version;
    show();
  });
  body.addEventListener("inside:state", ({ detail }) => {
    if (detail.state === "asleep" || detail.state === "off") abort?.abort();
    else if (detail.state === "open" && name && abort?.signal.aborted) follow();
  });
  body.addEventListener("htmx:afterSwap", ({ target, detail }) => {
    if (target.id !== "process-list") return;
    show();
    if (detail.requestConfig?.elt.matches(".process-start")) document.getElementById("process-form").replaceChildren();
  });
})();
