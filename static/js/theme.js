// The theme switch. Django's admin keeps its own choice under the same name and values.
(() => {
  const choices = document.querySelectorAll("[data-theme-choice]");

  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const choice of choices) {
      choice.setAttribute("aria-pressed", String(choice.dataset.themeChoice === theme));
    }
  };

  for (const choice of choices) {
    choice.addEventListener("click", () => {
      localStorage.setItem("theme", choice.dataset.themeChoice);
      show(choice.dataset.themeChoice);
    });
  }
  window.addEventListener("storage", (event) => {
    if (event.key === "theme") show(event.newValue || "auto");
  });
  show(document.documentElement.dataset.theme);
})();
