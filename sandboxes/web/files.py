"""The file tree: a folder's lines, a page of them at a time, or those that changed."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError

from accounts.requests import SignedInRequest
from manta.core.query_parameters import whole_number
from sandboxes import errors, services
from sandboxes.presenters.fields import PathField
from sandboxes.services.files import HOME, Entry, Folder, Kind
from sandboxes.web.shortcuts import own_or_404

_PAGE, _MAX_ENTRIES = 300, 3000
# Where the starter's project is, and where people begin to look.
_FIRST = (f"{HOME}/app", HOME, "/")


@require_GET
@never_cache
@login_required
def folder(request: SignedInRequest) -> HttpResponse:
    """The lines of a folder; of the first that there is when none is asked for."""
    sandbox = own_or_404(request.user)
    asked = request.GET.get("path", "")
    for path in [_normal(asked)] if asked else _FIRST:
        try:
            found = services.files.read_path(sandbox=sandbox, path=path)
        except (errors.FileNotFound, errors.FileDenied):
            if asked or path == "/":
                raise
            continue
        if isinstance(found, Folder):
            break
    if not isinstance(found, Folder):
        raise errors.NotAFolder(f"{found.path} is a file.")
    shown = [
        each for each in found.entries if "hidden" in request.GET or not each.name.startswith(".")
    ]
    context = {"folder": found, "hidden": len(found.entries) - len(shown)}
    named = "name" in request.GET
    context |= _named(shown, request) if named else _page(found, shown, request)
    return render(request, "sandboxes/workspace/_entries.html", context)


def _named(shown: list[Entry], request: SignedInRequest) -> dict[str, object]:
    """Return the lines of some names, each with the following line, which tells its place."""
    names = set(request.GET.getlist("name"))
    named = {at for at, each in enumerate(shown) if each.name in names}
    kept = sorted(named | {at + 1 for at in named if at + 1 < len(shown)})
    return {"entries": [shown[at] for at in kept], "more": 0, "first": True}


def _page(found: Folder, shown: list[Entry], request: SignedInRequest) -> dict[str, object]:
    """The lines that follow one. Where it was is known by its name and kind: it may be gone."""
    start, after = 0, request.GET.get("after", "")
    if after:
        kind: Kind = "directory" if request.GET.get("kind") == "directory" else "file"
        start = found.after((kind, after), shown)
    most = min(max(whole_number(request.GET.get("most", "")) or 0, _PAGE), _MAX_ENTRIES)
    more = len(shown) - start - most
    return {"entries": shown[start : start + most], "more": more, "first": not after}


def _normal(path: str) -> str:
    try:
        return str(PathField().run_validation(path))
    except ValidationError as exc:
        raise errors.BadPath("A path begins with / and has no NUL in it.") from exc
