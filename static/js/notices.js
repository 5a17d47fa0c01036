// Notices can be dismissed; the ones that only confirm something leave by themselves.
(() => {
  const STAYS_MS = 8000;
  const notices = document.getElementById("notices");

  const leaveLater = (notice) => {
    setTimeout(() => {
      if (notice.matches(":hover, :focus-within")) leaveLater(notice);
      else notice.remove();
    }, STAYS_MS);
  };

  notices.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".notice").remove();
  });
  notices.querySelectorAll("[data-passing]").forEach(leaveLater);
})();
