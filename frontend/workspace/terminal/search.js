// Finding text in the terminal in front.
export const search = (form, screen) => {
  const input = form.querySelector("input");
  const none = form.querySelector("[data-none]");
  const find = (back, incremental = false) => {
    const { search } = screen() || {};
    if (!search) return;
    const found = back ? search.findPrevious(input.value) : search.findNext(input.value, { incremental });
    none.textContent = input.value && !found ? "Not found" : "";
  };
  const close = () => {
    form.hidden = true;
    screen()?.search.clearDecorations();
    screen()?.terminal.focus();
  };
  input.addEventListener("input", () => find(false, true));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find(event.submitter?.dataset.find === "previous");
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      find(true);
    }
  });
  form.querySelector("[data-find=close]").addEventListener("click", close);
  return () => {
    form.hidden = false;
    input.select();
    input.focus();
  };
};
