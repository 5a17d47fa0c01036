"""The file tree: a folder's lines, a page of them at a time."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError

from manta.requests import SignedInRequest
from sandboxes import errors, services
from sandboxes.api.files import PathField
from sandboxes.services.files import HOME, Entry, Folder
from sandboxes.views.answers import own_or_404

_PAGE, _MOST = 300, 3000
# Where the starter's project is, and where people begin to look.
_FIRST = (f"{HOME}/app", HOME, "/")


@require_GET
@never_cache
@login_required
def folder(request: SignedInRequest) -> HttpResponse:
    """The lines of a folder that follow a name; of the first that there is when none is asked."""
    sandbox = own_or_404(request.user)
    asked = request.GET.get("path", "")
    for path in [_normal(asked)] if asked else _FIRST:
        try:
            found = services.read_path(sandbox=sandbox, path=path)
        except errors.FileNotFound:
            if asked or path == "/":
                raise
            continue
        if isinstance(found, Folder):
            break
    if not isinstance(found, Folder):
        raise errors.NotAFolder(f"{found.path} is a file.")
    shown = [each for each in found.entries if "hidden" in request.GET or each.name[0] != "."]
    start = _after(shown, request.GET.get("after", ""))
    most = min(max(_number(request.GET.get("most", "")), _PAGE), _MOST)
    context = {
        "folder": found,
        "entries": shown[start : start + most],
        "more": len(shown) - start - most,
        "hidden": len(found.entries) - len(shown),
        "first": start == 0,
    }
    response = render(request, "sandboxes/workspace/_entries.html", context)
    response["HX-Reswap"] = "outerHTML" if start else "innerHTML"
    return response


def _normal(path: str) -> str:
    try:
        return str(PathField().run_validation(path))
    except ValidationError as exc:
        raise errors.BadPath("A path begins with / and has no NUL in it.") from exc


def _after(entries: list[Entry], name: str) -> int:
    """Where the line after that name is; by name, because lines come and go meanwhile."""
    return next((at + 1 for at, each in enumerate(entries) if each.name == name), 0) if name else 0


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
