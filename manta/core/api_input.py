"""Requests that the REST API takes. DRF's views import it, so that it can't import them."""

import io
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from rest_framework import exceptions, negotiation, parsers, permissions, serializers
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from manta.core import json_values

if TYPE_CHECKING:
    from rest_framework.views import APIView


class JSONParser(parsers.JSONParser):
    """JSON that is nested too deeply, or has too many values, is the sender's mistake, too."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        sent = stream.read()
        try:
            json_values.check(sent)
            return super().parse(io.BytesIO(sent), media_type, parser_context)
        except json_values.TooManyValues as exc:
            raise exceptions.ParseError("JSON parse error - too many values") from exc
        except RecursionError as exc:
            raise exceptions.ParseError("JSON parse error - nested too deeply") from exc


class ContentNegotiation(negotiation.DefaultContentNegotiation):
    def filter_renderers(self, renderers: Any, format: str) -> Any:
        """Refuse ?format=xml as an Accept header of the same kind is, and not as an address."""
        found = [each for each in renderers if each.format == format]
        if not found:
            known = " or ".join(dict.fromkeys(each.format for each in renderers))
            raise exceptions.NotAcceptable(f"format: this is answered as {known} only.")
        return found


class KnownParameters(permissions.BasePermission):
    """A view says `queries = {"GET"}`, and reads these itself; no other query has any parameter."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        if method in view.allowed_methods and method not in getattr(view, "queries", ()):
            # DRF itself reads the format.
            asked = {name: "" for name in request.query_params if name != "format"}
            valid(Serializer, asked)
        return True


class Serializer(serializers.Serializer[Any]):
    """Fields that a request may have; any other is refused, and the error names it.

    What is ignored looks as if it had been done.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            fields = [name for name, field in self.fields.items() if not field.read_only]
            if unknown := [name for name in data if name not in fields]:
                names = (name.encode("utf-8", "backslashreplace").decode() for name in unknown)
                raise serializers.ValidationError(dict.fromkeys(names, no_such_field(fields)))
        return super().to_internal_value(data)


def no_such_field(fields: Sequence[str]) -> str:
    if not fields:
        return "Unknown field. Leave it out."
    return f"Unknown field. Known fields: {', '.join(fields)}."


def valid(serializer: type[serializers.BaseSerializer[Any]], data: Any) -> dict[str, Any]:
    """Return the values of a request's body or query. Raises ValidationError."""
    sent = serializer(data=data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def has_fields(request: Request) -> bool:
    """Tell whether JSON comes along: also where none is asked for it may say something."""
    return bool(media_type_matches("application/json", request.content_type) and request.data)


def expect_no_fields(request: Request) -> None:
    """Raise ValidationError when JSON comes along where there is nothing to say."""
    if has_fields(request):
        valid(Serializer, request.data)
