// Paths of the sandbox, which are absolute.
export const parent = (path) => path.slice(0, path.lastIndexOf("/")) || "/";
export const join = (folder, name) => `${folder === "/" ? "" : folder}/${name}`;
