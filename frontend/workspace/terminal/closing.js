// Closing a terminal. Where a program still runs in it, that is asked about first.
import { askIn } from "../dialogs.js";

const confirmed = async (dialog, text) => {
  dialog.querySelector("p").textContent = text;
  return (await askIn(dialog)) === "close";
};

// Whether it is closed; `failed` is told why it is not.
export const close = async ({ server, dialog, key, failed }) => {
  const attempt = (force) => server.close(key, force).then(() => null, (error) => error);
  let error = await attempt(false);
  if (error?.code === "terminal_in_use") {
    if (!(await confirmed(dialog, error.message))) return false;
    error = await attempt(true);
  }
  if (!error || error.code === "no_terminal") return true;
  failed(error.message);
  return false;
};
