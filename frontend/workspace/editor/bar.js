// The line above an open file: a sentence, with what can be done about it.
// A way is something to call, or the address of a page.
const pressed = (label, way) => {
  const leads = typeof way === "string";
  const button = document.createElement(leads ? "a" : "button");
  Object.assign(button, { className: "button small", textContent: label });
  if (leads) button.href = way;
  else {
    button.type = "button";
    button.addEventListener("click", way);
  }
  return button;
};

export const createBar = (panel) => {
  const bar = Object.assign(document.createElement("div"), { className: "editor-bar", hidden: true });
  bar.setAttribute("role", "alert");
  panel.append(bar);
  return {
    isEmpty: () => bar.hidden,
    say: (words, ways = {}) => {
      bar.hidden = !words;
      const sentence = Object.assign(document.createElement("p"), { textContent: words });
      bar.replaceChildren(sentence, ...Object.entries(ways).map(([label, way]) => pressed(label, way)));
    },
  };
};

// One thing to do about what failed.
export const wayOn = (error, again) => {
  if (error.status === 401) return { "Sign in": document.getElementById("editor").dataset.signIn };
  if (error.code === "csrf_failed") return { Reload: () => location.reload() };
  return { [error.later ? "Try now" : "Try again"]: again };
};
