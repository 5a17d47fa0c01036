// One terminal's connection. It comes back by itself when it is lost, and lets go of a sandbox that
// nobody uses; what is typed meanwhile is kept, and sent in order once the shell is there. Of a long
// paste only so much is under way that what a program shows, and Ctrl+C, come past it.
const PIECE = 32 * 1024; // characters of a paste that are sent at once
const UNDER_WAY = 6; // pieces that Manta has not passed on yet
const INTERRUPTS = ["\x03", "\x1a", "\x1c"];
const LONGEST_WAIT = 15;
const RETRIED = [1006, 1009, 1011, 1012, 4409, 4502, 4503];
const STATES = { 1000: "ended", 4401: "signed-out", 4403: "signed-out", 4404: "closed" };

const pieces = (text) => {
  const found = [];
  while (text) {
    let end = Math.min(PIECE, text.length);
    // Never between the two halves of one character.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
    found.push(text.slice(0, end));
    text = text.slice(end);
  }
  return found;
};

// `address` is a function of nothing; `show(text, isFirst, done)` calls done once it is drawn.
export const connect = ({ address, idleAfter, show, tell, isSignedIn }) => {
  let socket = null;
  let state = "asleep";
  let waiting = [];
  let underWay = 0;
  let failures = 0;
  let retry = 0;
  let idle = 0;

  const become = (next, detail = "") => {
    state = next;
    tell(next, detail);
  };
  const say = (message) => socket?.send(JSON.stringify(message));
  const isActive = () => {
    // What a program shows in a tab that is seen keeps its sandbox awake.
    document.body.dispatchEvent(new CustomEvent("inside:activity"));
    clearTimeout(idle);
    idle = setTimeout(park, idleAfter);
  };

  const leave = () => {
    clearTimeout(idle);
    clearTimeout(retry);
    const left = socket;
    socket = null;
    underWay = 0;
    left?.close(1000);
  };
  const park = () => {
    if (!socket && state !== "waiting") return;
    leave();
    become("asleep");
  };

  const tryAgain = (seconds) => {
    if (document.hidden) return park();
    become("waiting", String(seconds));
    retry = setTimeout(() => (seconds > 1 ? tryAgain(seconds - 1) : connect()), 1000);
  };

  const closed = async (own, code, error) => {
    if (own !== socket) return;
    socket = null;
    underWay = 0;
    clearTimeout(idle);
    if (code === 1006 && !(await isSignedIn())) code = 4401;
    if (socket || state === "asleep") return;
    if (STATES[code]) {
      waiting = []; // it was for the shell that is gone
      return become(STATES[code]);
    }
    if (!RETRIED.includes(code)) return become("refused", error || "This terminal can't be opened.");
    failures += 1;
    tryAgain(Math.min(2 ** (failures - 1), LONGEST_WAIT));
  };

  const pass = () => {
    while (state === "connected" && waiting.length && underWay < UNDER_WAY) {
      underWay += 1;
      say({ type: "input", data: waiting.shift() });
    }
  };
  const heard = (message, first) => {
    if (first) {
      failures = 0;
      become("connected");
      pass();
    }
    isActive();
    show(message.data, first, () => say({ type: "shown", messages: 1 }));
  };

  const connect = () => {
    if (socket) return;
    clearTimeout(retry);
    become("connecting");
    const own = new WebSocket(address());
    socket = own;
    let first = true;
    let error = "";
    own.onmessage = (event) => {
      if (own !== socket) return;
      const message = JSON.parse(event.data);
      if (message.type === "taken") {
        underWay -= message.messages;
        pass();
        return;
      }
      if (message.type !== "output") {
        error = message.error || message.data;
        return;
      }
      heard(message, first);
      first = false;
    };
    own.onclose = (event) => closed(own, event.code, error);
  };

  const type = (text) => {
    if (state === "ended" || state === "signed-out") return;
    // As a terminal does: what was not read by then is not for whatever comes after.
    if (INTERRUPTS.includes(text)) waiting = [];
    waiting.push(...pieces(text));
    if (state !== "connected") return connect();
    isActive();
    pass();
  };
  const resize = (cols, rows) => {
    if (socket?.readyState === WebSocket.OPEN) say({ type: "resize", cols, rows });
  };
  return { connect, leave, park, type, resize, state: () => state };
};
