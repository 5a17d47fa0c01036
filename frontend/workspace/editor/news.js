// What happens elsewhere to the files that are open: moved, changed on disk, the sandbox or the
// connection is back.
// Editors and compilers write a file several times in a row.
const SETTLES_MS = 200;

const followMoves = (body, files, moved) => {
  body.addEventListener("files:moved", async ({ detail: { source, destination } }) => {
    for (const file of files) {
      const inside = file.path.startsWith(`${source}/`);
      if (inside || file.path === source) await file.move(destination + file.path.slice(source.length));
    }
    moved();
  });
};

const followChanges = (body, files) => {
  const touched = new Set();
  const reload = () => {
    const found = [...touched];
    touched.clear();
    for (const file of found) {
      if (file.saving.underWay) touched.add(file);
      else if (!file.comparison) file.load();
    }
    if (touched.size) setTimeout(reload, SETTLES_MS);
  };
  body.addEventListener("files:changed", ({ detail: { changes } }) => {
    const told = new Map(changes.map((change) => [change.path, change]));
    const isOthers = (file) => told.has(file.path) && !file.saving.isOwn(told.get(file.path));
    const hit = files.filter((file) => file.state !== "closed" && isOthers(file));
    if (hit.length && !touched.size) setTimeout(reload, SETTLES_MS);
    hit.forEach((file) => touched.add(file));
  });
};

const followConnection = (body, files, front) => {
  const retry = () => files.forEach((file) => file.saving.retry());
  body.addEventListener("inside:state", ({ detail: { state } }) => {
    const file = front();
    if (state !== "open" || !file) return;
    if (file.state === "asleep" || (file.state === "text" && !file.saved)) file.load();
    retry();
  });
  window.addEventListener("online", retry);
};

// `front` tells which file is shown; `moved` is called once files have other paths.
export const followNews = (files, { front, moved }) => {
  followMoves(document.body, files, moved);
  followChanges(document.body, files);
  followConnection(document.body, files, front);
};
