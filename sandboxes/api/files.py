"""/api/sandbox/files: what is in one's own sandbox. Paths travel in the query and in bodies."""

import posixpath
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from sandboxes import services
from sandboxes.api.own import own
from sandboxes.api.serializers import ErrorResponse, stamp
from sandboxes.services.files import Entry, File, Folder

_REFUSED = dict.fromkeys((400, 401, 403, 404, 409, 410, 503), ErrorResponse)


class PathField(serializers.CharField):
    """An absolute path, made normal. No NUL and no half of a character is in it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=4096, **options)

    def to_internal_value(self, data: Any) -> str:
        path = super().to_internal_value(data)
        if not path.startswith("/"):
            raise serializers.ValidationError("A path begins with /.")
        return posixpath.normpath("/" + path.lstrip("/"))


class PathQuery(serializers.Serializer[Any]):
    path = PathField(help_text="Absolute. %-encode it, with all that is in names.")


class DeleteQuery(PathQuery):
    forever = serializers.BooleanField(default=False, help_text="Not into the trash.")


class SearchQuery(PathQuery):
    query = serializers.CharField(max_length=200, trim_whitespace=False)
    hidden = serializers.BooleanField(default=False, help_text="Also names that begin with a dot.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `in` can't be the name of a Python attribute.
        chosen = serializers.ChoiceField(["names", "contents"], default="names")
        return {**super().get_fields(), "in": chosen}


class SaveRequest(serializers.Serializer[Any]):
    path = PathField()
    content = serializers.CharField(allow_blank=True, trim_whitespace=False)
    version = serializers.CharField(
        allow_null=True, help_text="Of the file as it was read; null when there must be none yet."
    )


class FolderRequest(serializers.Serializer[Any]):
    path = PathField()


class MoveRequest(serializers.Serializer[Any]):
    source = PathField()  # type: ignore[assignment]  # declared fields are taken off the class
    destination = PathField(help_text="The whole new path, with its name.")
    overwrite = serializers.BooleanField(default=False, help_text="A file. Folders never are.")


class RestoreRequest(serializers.Serializer[Any]):
    trashed = serializers.CharField(max_length=20_000)


class EntryResponse(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField()
    kind = serializers.ChoiceField(["directory", "file"], help_text="Of a link: what it leads to.")
    size = serializers.IntegerField(allow_null=True)
    modifiedAt = serializers.DateTimeField(allow_null=True)
    link = serializers.BooleanField()


class PathResponse(serializers.Serializer[Any]):
    """A folder has entries; a file has content, or why not."""

    path = serializers.CharField()
    kind = serializers.ChoiceField(["directory", "file"])
    entries = EntryResponse(many=True, required=False)
    size = serializers.IntegerField(required=False)
    modifiedAt = serializers.DateTimeField(required=False, allow_null=True)
    version = serializers.CharField(required=False, allow_null=True)
    content = serializers.CharField(required=False, allow_null=True)
    why = serializers.ChoiceField(
        ["binary", "too_large", "not_utf8", "unreadable"], required=False, allow_null=True
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
    more = serializers.BooleanField(help_text="There are more than are told.")


class TextParser(BaseParser):
    """JSON with a whole text in it: Django would take no more than a form needs."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return JSONParser().parse(stream, media_type, parser_context)


class SandboxFiles(APIView):
    parser_classes = (TextParser,)
    scopes: ClassVar = {
        "GET": Scope.FILES_READ,
        "PUT": Scope.FILES_WRITE,
        "DELETE": Scope.FILES_WRITE,
    }

    @extend_schema(
        operation_id="files_read",
        summary="A folder's entries, or a text",
        parameters=[PathQuery],
        responses={200: PathResponse, **_REFUSED},
    )
    def get(self, request: Request) -> Response:
        path = valid(PathQuery, request.query_params)["path"]
        found = services.read_path(sandbox=own(request), path=path)
        return Response(_folder(found) if isinstance(found, Folder) else _file(found))

    @extend_schema(
        operation_id="files_save",
        summary="Save a text, or make a new one, with the folders above it",
        request=SaveRequest,
        responses={200: SavedResponse, 413: ErrorResponse, 507: ErrorResponse, **_REFUSED},
    )
    def put(self, request: Request) -> Response:
        saved = services.save_file(sandbox=own(request), **valid(SaveRequest, request.data))
        return Response({"path": saved.path, "size": saved.size, "version": saved.version})

    @extend_schema(
        operation_id="files_delete",
        summary="Delete a file, or a folder with all in it, into the trash",
        parameters=[DeleteQuery],
        responses={200: TrashedResponse, **_REFUSED},
    )
    def delete(self, request: Request) -> Response:
        asked = valid(DeleteQuery, request.query_params)
        return Response({"trashed": services.delete_path(sandbox=own(request), **asked)})


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
        services.make_folder(sandbox=own(request), **asked)
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
        services.move_path(sandbox=own(request), **asked)
        return Response({"path": asked["destination"]})


class SandboxFileRestore(APIView):
    scopes: ClassVar = {"POST": Scope.FILES_WRITE}

    @extend_schema(
        operation_id="files_restore",
        summary="Undo a deletion",
        request=RestoreRequest,
        responses={200: MovedResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = valid(RestoreRequest, request.data)
        return Response({"path": services.restore_path(sandbox=own(request), **asked)})


class SandboxFileSearch(APIView):
    scopes: ClassVar = {"GET": Scope.FILES_READ}

    @extend_schema(
        operation_id="files_search",
        summary="Search names, or in contents, below a folder",
        description="node_modules, .git, build folders and the like are left out.",
        parameters=[SearchQuery],
        responses={200: FoundResponse, **_REFUSED},
    )
    def get(self, request: Request) -> Response:
        asked = valid(SearchQuery, request.query_params)
        contents = asked.pop("in") == "contents"
        found = services.search(sandbox=own(request), contents=contents, **asked)
        matches = [vars(match) for match in found.matches]
        return Response({"matches": matches, "more": found.more})


def valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    sent = serializer(data=data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _folder(folder: Folder) -> dict[str, Any]:
    entries = [_entry(entry) for entry in folder.entries]
    return {"path": folder.path, "kind": "directory", "entries": entries}


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
