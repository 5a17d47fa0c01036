"""Pages for browsers when a preview can't be shown."""

from starlette.responses import HTMLResponse

from local_blaxel.errors import ApiError, BadGateway, Unauthorized, Unavailable

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto }}
  h1 {{ font-size: 1.25rem }}
</style>
<h1>{title}</h1>
{text}
</html>
"""
_AGAIN = "Open it again from where you got it."
_PRIVATE = f"<p>This preview is private or its link has ended. {_AGAIN}</p>"
_ENDED = f"<p>There is no such preview any more. {_AGAIN}</p>"
_UNAVAILABLE = "<p>It may be starting. Reload the page in a moment.</p>"
_SILENT = """<p>The sandbox runs, but no server answers on port {port}.</p>
<p>Start the server, or wait until it has started, and reload. If it says that it runs, see that it
listens on port {port}, and on every address (<code>0.0.0.0</code>) and not on another one.</p>"""


def explained(error: ApiError, port: int | None) -> HTMLResponse:
    match error:
        case Unauthorized():
            title, text = "Preview not open to you", _PRIVATE
        case BadGateway():
            title, text = f"Nothing listens on port {port}", _SILENT.format(port=port)
        case Unavailable():
            title, text = "The sandbox does not answer", _UNAVAILABLE
        case _:
            title, text = "Preview not found", _ENDED
    return HTMLResponse(
        _PAGE.format(title=title, text=text),
        error.status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )
