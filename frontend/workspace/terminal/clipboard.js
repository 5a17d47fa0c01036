// What a program copies through its terminal (OSC 52). The first time the person is asked; once they
// allow it, what is copied later goes to the clipboard at once. No program can read the clipboard.
const LONGEST = 1024 * 1024; // characters of base64
const PREVIEW = 60;

// Empty for what is not base64: a program's question for the clipboard is never answered.
const textOf = (data) => {
  const encoded = data.slice(data.indexOf(";") + 1);
  if (encoded.length > LONGEST) return "";
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), (byte) => byte.charCodeAt(0)));
  } catch {
    return "";
  }
};

// Returns a function that takes what a program said. `bar` asks the person, `failed` takes a sentence.
export const clipboard = (bar, failed) => {
  const setting = document.querySelector("[data-setting=terminalCopy]");
  let text = "";
  let isRefused = false;

  const write = async () => navigator.clipboard.writeText(text);
  const ask = () => {
    const preview = text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text;
    bar.querySelector("[data-text]").textContent = preview;
    bar.hidden = false;
  };
  bar.addEventListener("click", ({ target }) => {
    const { answer } = target.closest("[data-answer]")?.dataset ?? {};
    if (!answer) return;
    bar.hidden = true;
    isRefused = answer === "refuse";
    if (isRefused) return;
    setting.checked = true;
    setting.dispatchEvent(new Event("change", { bubbles: true }));
    write().catch(() => failed("Your browser does not allow copying to the clipboard here."));
  });

  return (data) => {
    text = textOf(data);
    // A page that nobody looks at may not copy, and need not ask.
    if (!text || !document.hasFocus()) return;
    if (setting.checked) write().catch(ask);
    else if (!isRefused) ask();
  };
};
