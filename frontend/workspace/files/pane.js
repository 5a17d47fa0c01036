// The files pane. A page that waits for its sandbox has none, and loads anew once it has.
import * as dialogs from "./dialogs.js";
import * as dragging from "./dragging.js";
import * as keys from "./keys.js";
import * as menu from "./menu.js";
import * as news from "./news.js";
import * as search from "./search.js";
import * as tree from "./tree.js";
import * as uploads from "./uploads.js";

if (document.getElementById("files")) {
  tree.listen();
  keys.listen();
  news.listen();
  dialogs.listen();
  menu.listen();
  uploads.listen();
  dragging.listen();
  search.listen();
}
