// What is not saved yet, kept in this browser: it outlives a reload, sleep, and the end of a session.
// Each draft belongs to one person and sandbox; nobody else's is ever read. Signing out keeps them,
// because losing work is worse; what nobody came back for is deleted after 30 days.
window.editorParts ??= {};
(() => {
  const KEPT_MS = 30 * 24 * 3600 * 1000;
  const owner = () => document.getElementById("editor").dataset.owner;
  const key = (path) => [owner(), path];

  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  let opened;
  const database = () => {
    if (!opened) {
      const request = indexedDB.open("manta-drafts", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("drafts");
      opened = settled(request);
    }
    return opened;
  };
  const store = async (mode) =>
    (await database()).transaction("drafts", mode).objectStore("drafts");

  const forgetOld = async () => {
    const cursor = (await store("readwrite")).openCursor();
    cursor.onsuccess = () => {
      const found = cursor.result;
      if (!found) return;
      if (Date.now() - found.value.at > KEPT_MS) found.delete();
      found.continue();
    };
  };

  window.editorParts.drafts = {
    get: async (path) => settled((await store("readonly")).get(key(path))),
    put: async (path, draft) =>
      settled((await store("readwrite")).put({ ...draft, at: Date.now() }, key(path))),
    remove: async (path) => settled((await store("readwrite")).delete(key(path))),
    paths: async () => {
      const range = IDBKeyRange.bound([owner()], [owner(), []]);
      return (await settled((await store("readonly")).getAllKeys(range))).map(([, path]) => path);
    },
  };
  forgetOld().catch(() => {});
})();
