// Below the terminal: what its connection is doing, in words, and what can be done about it.
const WORDS = {
  connected: () => "Connected",
  connecting: () => "Connecting…",
  waiting: (seconds) => `The connection was lost. Reconnecting in ${seconds} s`,
  asleep: () => "Asleep. Press any key to wake it",
  ended: () => "The shell has ended",
  "signed-out": () => "You have signed out. Sign in to go on",
  refused: (why) => why,
};
const ACTS = { waiting: "Retry now", asleep: "Wake", ended: "Restart", refused: "Try again" };

export const showState = (find, { state = "", detail = "" } = {}) => {
  find("state").dataset.state = state;
  find("words").textContent = WORDS[state]?.(detail) || "";
  find("act").textContent = ACTS[state] || "";
  find("act").hidden = !ACTS[state];
};
