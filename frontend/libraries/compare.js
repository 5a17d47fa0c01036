// Two versions side by side: what is on the disk, and one's own, which can be edited.
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { languageOf } from "./languages.js";
import { lineEndOf, lineEndsIn, setup } from "./setup.js";

export const compare = async ({ parent, path, mine, theirs }) => {
  const language = (await languageOf(path)?.load()) ?? [];
  const side = (text, label, more = []) => ({
    doc: text,
    extensions: [
      setup(text),
      lineEndsIn(text),
      EditorView.contentAttributes.of({ "aria-label": label }),
      language,
      more,
    ],
  });
  const view = new MergeView({
    parent,
    a: side(theirs, `${path}, on disk`, EditorState.readOnly.of(true)),
    b: side(mine, `${path}, yours`),
    revertControls: "a-to-b",
    collapseUnchanged: { margin: 3, minSize: 8 },
    gutter: true,
  });
  view.b.focus();
  const end = lineEndOf(mine);
  return { text: () => view.b.state.doc.sliceString(0, undefined, end), destroy: () => view.destroy() };
};
