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
  // A page that reloads itself takes along what was said and may not be read yet.
  document.body.addEventListener("page:reloads", () => {
    const said = [...notices.querySelectorAll(".notice:not([id])")].map((notice) => notice.outerHTML);
    sessionStorage.setItem("notices", said.join(""));
  });
  notices.insertAdjacentHTML("beforeend", sessionStorage.getItem("notices") ?? "");
  sessionStorage.removeItem("notices");
  notices.querySelectorAll("[data-passing]").forEach(leaveLater);
})();
