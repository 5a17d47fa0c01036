// A line with ANSI colours as text nodes: whatever a process writes, none of it is markup.
window.ansi = (() => {
  const CODE = /\u001b\[([0-9;]*)([A-Za-z])|\u001b[^[]|[\u0000-\u0008\u000b-\u001f]/g;
  const change = (style, codes) => {
    let now = style;
    for (const code of codes) {
      if (code === 0) now = {};
      else if (code === 1) now = { ...now, bold: true };
      else if (code === 2) now = { ...now, dim: true };
      else if (code === 4) now = { ...now, underline: true };
      else if (code === 22) now = { ...now, bold: false, dim: false };
      else if (code === 24) now = { ...now, underline: false };
      else if (code === 39) now = { ...now, colour: undefined };
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) now = { ...now, colour: code % 10 };
      // What follows are the parts of a colour that is not one of ours.
      else if (code === 38 || code === 48) break;
    }
    return now;
  };
  const classes = (style) => {
    const names = ["bold", "dim", "underline"].filter((name) => style[name]).map((name) => `ansi-${name}`);
    if (style.colour !== undefined) names.push(`ansi-${style.colour}`);
    return names.join(" ");
  };
  const append = (parent, text, style) => {
    if (!text) return;
    const name = classes(style);
    if (!name) return parent.append(text);
    const span = document.createElement("span");
    span.className = name;
    span.textContent = text;
    parent.append(span);
  };
  const render = (parent, line) => {
    let style = {};
    let at = 0;
    for (const match of line.matchAll(CODE)) {
      append(parent, line.slice(at, match.index), style);
      at = match.index + match[0].length;
      if (match[2] === "m") style = change(style, (match[1] || "0").split(";").map(Number));
    }
    append(parent, line.slice(at), style);
  };
  return { render, plain: (line) => line.replace(CODE, "") };
})();
