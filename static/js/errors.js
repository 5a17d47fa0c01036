// What went wrong with a request, and what nobody sees where the request was made.
(() => {
  const { body } = document;
  const path = (url) => new URL(url, location.href).pathname;

  // An answer that is a whole page never lands inside a part of one.
  body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, isError, pathInfo } = event.detail;
    if (xhr.responseURL && path(xhr.responseURL) !== path(pathInfo.requestPath)) {
      // Redirected: signed out elsewhere, most likely. The page itself will say so.
      event.detail.shouldSwap = false;
      location.reload();
    } else if (isError && !xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = false;
      notify("unexpected", xhr.getResponseHeader("X-Request-ID"));
    }
  });

  // Said once, however often it happens.
  const notify = (name, requestId) => {
    const notices = document.getElementById("notices");
    if (notices.querySelector(`[data-of="${name}"]`)) return;
    const notice = document.getElementById(name).content.firstElementChild.cloneNode(true);
    notice.dataset.of = name;
    const shown = notice.querySelector("[data-request-id]");
    if (shown) shown.textContent = requestId || "unknown";
    notices.append(notice);
  };

  // Whoever signs in again has another proof than this page: nothing that it sends is taken.
  body.addEventListener("page:outdated", () => notify("outdated"));
  body.addEventListener("click", (event) => {
    if (event.target.closest("[data-reloads]")) location.reload();
  });
})();
