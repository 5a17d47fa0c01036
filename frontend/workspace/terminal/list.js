// Which terminals there are: the same in every browser, so Manta keeps the list.
export const list = (address) => {
  const headers = {
    ...JSON.parse(document.body.getAttribute("hx-headers") || "{}"),
    "Content-Type": "application/json",
  };
  const ask = async (method, path = "", body = undefined) => {
    const answer = await fetch(address + path, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status === 204) return null;
    const said = await answer.json().catch(() => ({ error: "Manta does not answer." }));
    if (said.code === "csrf_failed") document.body.dispatchEvent(new CustomEvent("page:outdated"));
    if (!answer.ok) throw Object.assign(new Error(said.error || "Check what you entered."), said);
    return said;
  };
  return {
    all: async () => (await ask("GET")).terminals,
    add: () => ask("POST", "", {}),
    rename: (key, name) => ask("PATCH", `/${key}`, { name }),
    close: (key, force) => ask("DELETE", `/${key}${force ? "?force=true" : ""}`),
    isSignedIn: async () => {
      const answer = await fetch(address).catch(() => null);
      return answer?.status !== 401;
    },
  };
};
