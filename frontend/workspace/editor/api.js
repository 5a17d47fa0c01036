// The editor's calls to /api/sandbox/files. What fails is an Error with a sentence, status and code.
const root = () => document.getElementById("editor").dataset;
const address = (base, path) => `${base}?${new URLSearchParams({ path })}`;

const failure = (status, body) => {
  const words = {
    0: "Manta cannot be reached.",
    401: "You are signed out. What you changed is kept in this browser.",
    csrf_failed: "This page is from before you signed in again. What you changed is kept in this browser.",
  };
  const message = words[status] || words[body?.code] || body?.error || body?.message || "The request failed.";
  const error = new Error(typeof message === "string" ? message : "The request failed.");
  // What may work later is tried again by itself.
  const later = status === 0 || status === 429 || status >= 500;
  return Object.assign(error, { status, code: body?.code, later });
};

const ask = async (url, options = {}) => {
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", credentials: "same-origin", ...options });
  } catch {
    throw failure(0);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  if (said?.code === "csrf_failed") document.body.dispatchEvent(new CustomEvent("page:outdated"));
  throw failure(answer.status, said);
};

const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

export const read = async (path) => (await ask(address(root().files, path))).json();

export const write = async (path, content, version) => {
  const answer = await ask(root().files, {
    method: "PUT",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify({ path, content, version }),
  });
  return answer.json();
};

export const contentAddress = (path) => address(root().content, path);

export const bytes = async (path) => (await ask(address(root().content, path))).arrayBuffer();
