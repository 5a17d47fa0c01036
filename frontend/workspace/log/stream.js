// What a process says, piece by piece. A connection that is lost comes back by itself, at the place
// up to which all was read, or at the oldest that is kept.
const AGAIN_MS = 1000;
const LONGEST_MS = 15000;
const FINAL = [401, 403, 404];
const KIND = "application/x-ndjson";

// `hear` takes [{ type, data }] and is waited for, `tell` what to say of the connection, and `runs`
// says whether more is to come.
export const follow = ({ from, name, hear, tell, runs }) => {
  let position = 0;
  let failures = 0;
  let abort = null;
  let later = 0;

  const ask = async (signal) => {
    const query = new URLSearchParams({ name, follow: 1, after: position });
    const answer = await fetch(`${from}?${query}`, { signal, headers: { Accept: KIND } });
    if (answer.ok) return answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const { error } = await answer.json().catch(() => ({ error: "The log can't be read." }));
    throw Object.assign(new Error(error), { isFinal: FINAL.includes(answer.status) });
  };
  // Whether there was anything new.
  const listen = async (signal) => {
    const reader = await ask(signal);
    const before = position;
    let rest = "";
    tell("");
    failures = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return position > before;
      const whole = (rest + value).split("\n");
      rest = whole.pop();
      const said = whole.map((line) => JSON.parse(line));
      position = said.at(-1)?.position ?? position;
      await hear(said);
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
    position = 0;
    connect();
  };
  return { connect, stop, fromStart };
};
