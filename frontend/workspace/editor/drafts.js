// What is not saved yet, kept in this browser: it outlives a reload, sleep, and the end of a session.
// Each draft belongs to one person and sandbox; nobody else's is ever read. Signing out keeps them,
// because losing work is worse; what nobody came back for is deleted after 30 days.
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
const read = async (ask) => settled(ask((await database()).transaction("drafts").objectStore("drafts")));
// Done once its transaction is: only then is it known that there was room.
const change = async (work) => {
  const transaction = (await database()).transaction("drafts", "readwrite");
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  work(transaction.objectStore("drafts"));
  await done;
};

const forgetOld = (store) => {
  const cursor = store.openCursor();
  cursor.onsuccess = () => {
    const found = cursor.result;
    if (!found) return;
    if (Date.now() - found.value.at > KEPT_MS) found.delete();
    found.continue();
  };
};

// All of them reject where this browser keeps nothing.
export const get = (path) => read((store) => store.get(key(path)));
export const put = (path, draft) => change((store) => store.put({ ...draft, at: Date.now() }, key(path)));
export const remove = (path) => change((store) => store.delete(key(path)));
export const paths = async () => {
  const range = IDBKeyRange.bound([owner()], [owner(), []]);
  return (await read((store) => store.getAllKeys(range))).map(([, path]) => path);
};

change(forgetOld).catch(() => {});
