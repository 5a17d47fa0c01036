"""/api/sandbox/files: files of the user's sandbox. Paths travel in the query and in bodies."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from manta.core.api_input import JSONParser, Serializer, expect_no_fields, valid
from sandboxes import services
from sandboxes.api.own import own
from sandboxes.presenters.fields import PathField, TextField, query_of
from sandboxes.presenters.serializers import ErrorResponse, stamp
from sandboxes.services.files import Entry, File, Folder, Kind

_REFUSED = dict.fromkeys((400, 401, 403, 404, 409, 410, 503), ErrorResponse)

# How names are told, for the pages that describe the API.
NAMES = (
    "A name that is not UTF-8 is percent-encoded, with `%` as `%25`: `caf%E9.txt`. A name that "
    "would be read as such an encoding has its `%` as `%25`, too; every other name is as it is. "
    "Send paths as they were told: the encoding is part of the text. Bytes that are not UTF-8 are "
    "taken as well, percent-encoded once in a query, or as lone surrogates in JSON (as "
    "`surrogateescape` of Python makes them)."
)


# Entries of a folder that are told at once, unless another number is asked for.
PAGE = 1_000


class PathQuery(Serializer):
    path = PathField(help_text=f"Absolute. %-encode it, with all that is in names. {NAMES}")


class ReadQuery(PathQuery):
    limit = serializers.IntegerField(
        default=PAGE, min_value=1, max_value=5_000, help_text="Maximum number of entries per page."
    )
    cursor = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=1_100,
        help_text="The `next` of the previous page.",
    )

    def validate_cursor(self, text: str) -> tuple[Kind, str] | None:
        if not text:
            return None
        kind, divided, name = text.partition(":")
        if not divided or kind not in ("directory", "file"):
            raise serializers.ValidationError("Use the `next` of the previous answer.")
        return ("directory" if kind == "directory" else "file"), name


class DeleteQuery(PathQuery):
    forever = serializers.BooleanField(
        default=False, help_text="Delete permanently, without the trash."
    )


class SearchQuery(PathQuery):
    query = serializers.CharField(max_length=200, trim_whitespace=False)
    hidden = serializers.BooleanField(default=False, help_text="Also names that begin with a dot.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `in` can't be the name of a Python attribute.
        chosen = serializers.ChoiceField(["names", "contents"], default="names")
        return {**super().get_fields(), "in": chosen}


class SaveRequest(Serializer):
    path = PathField()
    content = TextField()
    version = serializers.CharField(
        allow_null=True,
        help_text="The version of the file as it was read; null for a file that must not "
        "exist yet.",
    )


class FolderRequest(Serializer):
    path = PathField()


class MoveRequest(Serializer):
    source = PathField()  # type: ignore[assignment]  # declared fields are taken off the class
    destination = PathField(help_text="The whole new path, with its name.")
    overwrite = serializers.BooleanField(
        default=False, help_text="Overwrite a file. Folders are never overwritten."
    )


class RestoreRequest(Serializer):
    trashed = serializers.CharField(max_length=60_000)
    destination = PathField(
        required=False, help_text="Restore to another path than the original one."
    )
    makeFolders = serializers.BooleanField(
        source="make_folders", default=False, help_text="Create missing parent folders."
    )


class EntryResponse(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField()
    kind = serializers.ChoiceField(["directory", "file"], help_text="For a link: its target.")
    size = serializers.IntegerField(allow_null=True)
    modifiedAt = serializers.DateTimeField(allow_null=True)
    link = serializers.BooleanField()


class PathResponse(serializers.Serializer[Any]):
    """A folder has entries; a file has content, or why not."""

    path = serializers.CharField()
    kind = serializers.ChoiceField(["directory", "file"])
    entries = EntryResponse(many=True, required=False)
    next = serializers.CharField(
        required=False, allow_null=True, help_text="The `cursor` of the entries that follow."
    )
    size = serializers.IntegerField(required=False)
    modifiedAt = serializers.DateTimeField(required=False, allow_null=True)
    version = serializers.CharField(required=False, allow_null=True)
    content = serializers.CharField(required=False, allow_null=True)
    why = serializers.ChoiceField(
        ["binary", "too_large", "not_utf8", "unreadable", "read_only"],
        required=False,
        allow_null=True,
        help_text="Why it can't be changed here; only a text that is read_only has content.",
    )


class SavedResponse(serializers.Serializer[Any]):
    path = serializers.CharField()
    size = serializers.IntegerField()
    version = serializers.CharField()


class MovedResponse(serializers.Serializer[Any]):
    path = serializers.CharField()


class TrashedResponse(serializers.Serializer[Any]):
    trashed = serializers.CharField(allow_null=True, help_text="For restore, within a day.")


class MatchResponse(serializers.Serializer[Any]):
    path = serializers.CharField()
    kind = serializers.ChoiceField(["directory", "file"])
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)
    text = serializers.CharField(allow_null=True)


class FoundResponse(serializers.Serializer[Any]):
    matches = MatchResponse(many=True)
    more = serializers.BooleanField(help_text="There are more results than are returned.")


class TextParser(BaseParser):
    """JSON with a whole text in it: Django would take no more than a form needs."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return JSONParser().parse(stream, media_type, parser_context)


class SandboxFiles(APIView):
    queries: ClassVar = {"GET", "DELETE"}
    parser_classes = (TextParser,)
    scopes: ClassVar = {
        "GET": Scope.FILES_READ,
        "PUT": Scope.FILES_WRITE,
        "DELETE": Scope.FILES_WRITE,
    }

    @extend_schema(
        operation_id="files_read",
        summary="Read a folder's entries, or a text",
        description=(
            f"A folder is returned in pages: `next` is the `cursor` of the next page.\n\n{NAMES}"
        ),
        parameters=[ReadQuery],
        responses={200: PathResponse, **_REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = valid(ReadQuery, query_of(request.META["QUERY_STRING"]))
        found = services.files.read_path(sandbox=own(request), path=asked["path"])
        return Response(described(found, asked["limit"], asked["cursor"]))

    @extend_schema(
        operation_id="files_save",
        summary="Save a text or create one, with its parent folders",
        request=SaveRequest,
        responses={200: SavedResponse, 413: ErrorResponse, 507: ErrorResponse, **_REFUSED},
    )
    def put(self, request: Request) -> Response:
        saved = services.files.save_file(sandbox=own(request), **valid(SaveRequest, request.data))
        return Response({"path": saved.path, "size": saved.size, "version": saved.version})

    @extend_schema(
        operation_id="files_delete",
        summary="Move a file, or a folder with its contents, to the trash",
        parameters=[DeleteQuery],
        responses={200: TrashedResponse, **_REFUSED},
    )
    def delete(self, request: Request) -> Response:
        asked = valid(DeleteQuery, query_of(request.META["QUERY_STRING"]))
        expect_no_fields(request)
        return Response({"trashed": services.file_moves.delete_path(sandbox=own(request), **asked)})


class SandboxFolders(APIView):
    scopes: ClassVar = {"POST": Scope.FILES_WRITE}

    @extend_schema(
        operation_id="files_make_folder",
        summary="Make a folder",
        request=FolderRequest,
        responses={201: MovedResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = valid(FolderRequest, request.data)
        services.files.make_folder(sandbox=own(request), **asked)
        return Response(asked, status=201)


class SandboxFileMove(APIView):
    scopes: ClassVar = {"POST": Scope.FILES_WRITE}

    @extend_schema(
        operation_id="files_move",
        summary="Move or rename a file or folder",
        request=MoveRequest,
        responses={200: MovedResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = valid(MoveRequest, request.data)
        services.file_moves.move_path(sandbox=own(request), **asked)
        return Response({"path": asked["destination"]})


class SandboxFileRestore(APIView):
    scopes: ClassVar = {"POST": Scope.FILES_WRITE}

    @extend_schema(
        operation_id="files_restore",
        summary="Undo a deletion",
        description="The code `folder_not_found` means that its folder no longer exists.",
        request=RestoreRequest,
        responses={200: MovedResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = valid(RestoreRequest, request.data)
        return Response({"path": services.file_moves.restore_path(sandbox=own(request), **asked)})


class SandboxFileSearch(APIView):
    queries: ClassVar = {"GET"}
    scopes: ClassVar = {"GET": Scope.FILES_READ}

    @extend_schema(
        operation_id="files_search",
        summary="Search names or contents below a folder",
        description="node_modules, .git, build folders and the like are left out.",
        parameters=[SearchQuery],
        responses={200: FoundResponse, **_REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = valid(SearchQuery, query_of(request.META["QUERY_STRING"]))
        contents = asked.pop("in") == "contents"
        found = services.file_search.search(sandbox=own(request), contents=contents, **asked)
        matches = [vars(match) for match in found.matches]
        return Response({"matches": matches, "more": found.more})


def described(
    found: Folder | File, limit: int = PAGE, last: tuple[Kind, str] | None = None
) -> dict[str, Any]:
    """The body of an answer: the file, or the entries of the folder that follow one."""
    return _folder(found, limit, last) if isinstance(found, Folder) else _file(found)


def _folder(folder: Folder, limit: int, last: tuple[Kind, str] | None) -> dict[str, Any]:
    start = folder.after(last) if last else 0
    page = folder.entries[start : start + limit]
    more = len(folder.entries) > start + limit
    return {
        "path": folder.path,
        "kind": "directory",
        "entries": [_entry(entry) for entry in page],
        "next": f"{page[-1].kind}:{page[-1].name}" if more else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "path": entry.path,
        "kind": entry.kind,
        "size": entry.size,
        "modifiedAt": stamp(entry.modified_at) if entry.modified_at else None,
        "link": entry.is_link,
    }


def _file(file: File) -> dict[str, Any]:
    return {
        "path": file.path,
        "kind": "file",
        "size": file.size,
        "modifiedAt": stamp(file.modified_at) if file.modified_at else None,
        "version": file.version,
        "content": file.content,
        "why": file.why,
    }
