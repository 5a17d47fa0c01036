// What a process says, line by line. A connection that is lost comes back by itself, after the last
// whole line that was read.
window.logParts ??= {};
(() => {
  const AGAIN_MS = 1000;
  const LONGEST_MS = 15000;
  const FINAL = [401, 403, 404];

  // `hear` takes [{ kind, text }], `tell` what to say of the connection, and `runs` says whether more
  // is to come.
  window.logParts.follow = ({ from, name, hear, tell, runs }) => {
    let read = 0;
    let kind = "stdout";
    let failures = 0;
    let abort = null;
    let later = 0;

    const parse = (line) => {
      const named = /^(stdout|stderr):/.exec(line);
      if (named) kind = named[1];
      return { kind, text: named ? line.slice(named[0].length) : line };
    };
    const ask = async (signal) => {
      const answer = await fetch(`${from}?${new URLSearchParams({ name, follow: 1, after: read })}`, { signal });
      if (answer.ok) return answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const { error } = await answer.json().catch(() => ({ error: "The log can't be read." }));
      throw Object.assign(new Error(error), { isFinal: FINAL.includes(answer.status) });
    };
    // Whether there was anything new.
    const listen = async (signal) => {
      const reader = await ask(signal);
      const before = read;
      let rest = "";
      tell("");
      failures = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return read > before;
        const whole = (rest + value).split("\n");
        rest = whole.pop();
        const said = whole.filter((line) => !line.startsWith("[keepalive]"));
        read += said.length;
        hear(said.map(parse));
      }
    };

    const connect = async () => {
      stop();
      const { signal } = (abort = new AbortController());
      let more = true;
      try {
        // It may have been cut off just before its end: only silence says that this was all.
        more = (await listen(signal)) || runs();
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        more = !error.isFinal;
        tell(more ? "Connection lost. Trying again." : error.message);
      }
      if (signal.aborted || !more) return;
      later = setTimeout(connect, Math.min(AGAIN_MS * 2 ** failures, LONGEST_MS));
    };
    const stop = () => {
      clearTimeout(later);
      abort?.abort();
    };
    const fromStart = () => {
      read = 0;
      connect();
    };
    return { connect, stop, fromStart };
  };
})();
