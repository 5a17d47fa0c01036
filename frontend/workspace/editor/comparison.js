// Two versions of one file side by side: what is on disk, and what is in the editor.
// Lays the two over the file's text; `leave` brings that back.
import * as api from "./api.js";

const shown = async (file, theirs) => {
  const { compare: draw } = await import("../../libraries/editor.js");
  file.comparison?.leave();
  const beside = Object.assign(document.createElement("div"), { className: "editor-compare" });
  file.panel.append(beside);
  file.surface.hidden = true;
  const options = { parent: beside, path: file.path, mine: file.editor.text, theirs: theirs.content };
  const { text, destroy } = await draw(options);
  const leave = () => {
    destroy();
    beside.remove();
    file.surface.hidden = false;
    file.comparison = null;
    file.editor.focus();
  };
  file.comparison = { leave };
  return { text, leave };
};

const choices = (file, theirs, { text, leave }) => ({
  "Keep mine": () => {
    file.editor.replace(text());
    leave();
    file.saved = null;
    file.save(theirs.version);
  },
  "Take theirs": () => {
    file.editor.replace(theirs.content);
    leave();
    file.agree(theirs);
    file.told();
  },
  "Not now": () => {
    leave();
    file.differ();
  },
});

export const compare = async (file) => {
  let theirs;
  try {
    theirs = await api.read(file.path);
  } catch (error) {
    file.failed(error);
    return;
  }
  if (theirs.content === null || theirs.content === undefined) {
    file.say("The file on disk is no longer text.", { "Keep mine": () => file.save(theirs.version) });
    return;
  }
  const both = await shown(file, theirs);
  file.say("Left: on disk. Right: yours, to be edited.", choices(file, theirs, both));
};
