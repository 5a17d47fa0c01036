// The workspace's scripts. Each runs once, in this order, after htmx and before DOMContentLoaded.
import "./inside.js";
import "./preview.js";
import "./panes.js";
import "./dividers.js";
import "./shortcuts.js";
import "./palette/palette.js";
import "./preferences.js";
import "./files/pane.js";
import "./log/viewer.js";
import "./processes/list.js";
import "./processes/actions.js";
import "./editor/pane.js";
import "./terminal/pane.js";
import "./preview-bar.js";
import "./ports.js";
