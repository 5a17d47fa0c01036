// An answer that is a whole page never lands inside a part of one.
(() => {
  const path = (url) => new URL(url, location.href).pathname;

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, isError, pathInfo } = event.detail;
    if (xhr.responseURL && path(xhr.responseURL) !== path(pathInfo.requestPath)) {
      // Redirected: signed out elsewhere, most likely. The page itself will say so.
      event.detail.shouldSwap = false;
      location.reload();
    } else if (isError && !xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = false;
      notify(xhr.getResponseHeader("X-Request-ID"));
    }
  });

  const notify = (requestId) => {
    const notices = document.getElementById("notices");
    if (notices.querySelector("[data-unexpected]")) return;
    const notice = document.getElementById("unexpected").content.cloneNode(true);
    notice.querySelector("[data-request-id]").textContent = requestId || "unknown";
    notices.append(notice);
  };
})();
