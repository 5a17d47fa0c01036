// What is shown of a file that is no text: why, an image, and ways on.
import * as api from "./api.js";

const IMAGES = { png: "png", jpg: "jpeg", jpeg: "jpeg", gif: "gif", webp: "webp", avif: "avif", bmp: "bmp", ico: "x-icon" };
const LARGEST_IMAGE = 5 * 2 ** 20;
export const WHY = {
  binary: "This file is not text.",
  too_large: "This file is too large to be edited here.",
  not_utf8: "This text is not UTF-8. Saving it here would damage it.",
  unreadable: "You may not read this file in the sandbox.",
  read_only: "You may not change this file in the sandbox.",
  folder: "This is a folder.",
  gone: "This file is no longer there.",
};

const size = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`;
  const [unit, power] = bytes < 1e6 ? ["KB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / power).toFixed(1)} ${unit}`;
};

// Made by the type that its name says, so that nothing but an image can come of it.
const image = async (path, type) => {
  const blob = new Blob([await api.bytes(path)], { type: `image/${type}` });
  const reader = new FileReader();
  const read = new Promise((resolve) => { reader.onload = resolve; });
  reader.readAsDataURL(blob);
  await read;
  const picture = document.createElement("img");
  picture.src = reader.result;
  picture.alt = path.split("/").pop();
  return picture;
};

const element = (name, text, className = "") =>
  Object.assign(document.createElement(name), { textContent: text, className });

const download = (path) =>
  Object.assign(element("a", "Download", "button small"), {
    href: api.contentAddress(path),
    download: path.split("/").pop(),
  });

// Fills the panel; openAnyway is called where the person insists on text.
export const showView = async (panel, { path, size: bytes, why }, openAnyway) => {
  const view = element("div", "", "file-view");
  view.append(element("p", WHY[why] || why));
  panel.replaceChildren(view);
  if (why === "gone" || why === "folder" || !(why in WHY)) return;
  if (bytes) view.append(element("p", size(bytes), "quiet-text"));
  if (why !== "unreadable") view.append(download(path));
  if (why === "not_utf8") {
    const button = element("button", "Open read-only", "button small");
    button.type = "button";
    button.addEventListener("click", openAnyway);
    view.append(button);
  }
  const type = IMAGES[path.split(".").pop().toLowerCase()];
  if (why !== "binary" || !type || bytes > LARGEST_IMAGE) return;
  const picture = await image(path, type).catch(() => null);
  if (!picture) return;
  view.prepend(picture);
  view.querySelector("p").remove();
};
