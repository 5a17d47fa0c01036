"""The control plane's previews and their tokens: `/v0/sandboxes/{name}/previews`."""

import hmac
import json
import re
import secrets
import string
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import clock, fields
from local_blaxel.errors import Conflict, Invalid, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.presentation import Presenter
from local_blaxel.preview_connections import PreviewConnections
from local_blaxel.sandbox import Sandbox
from local_blaxel.store import PreviewRow, Record, Store, TokenRow

# 443 is the sandbox's own API: what the SDK calls a session is a preview of it.
RESERVED_PORTS = (80, 8080)
TOKEN_LIVES = 24 * 3600.0

_ALPHABET = string.ascii_lowercase + string.digits
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"(?! )[\x20-\x7e\xa1-\xff]*(?<! )")
_FRAMING = {"connection", "content-length", "host", "transfer-encoding", "upgrade"}


class PreviewApi:
    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        presenter: Presenter,
        preview_connections: PreviewConnections,
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._presenter = presenter
        self._preview_connections = preview_connections

    async def index(self, request: Request) -> Response:
        sandbox = self._sandbox(request).name
        now = time.time()
        rows = [row for row in self._store.previews(sandbox) if not _is_over(row, now)]
        return JSONResponse([self._presenter.preview(row) for row in rows])

    async def create(self, request: Request) -> Response:
        body = await fields.body(request)
        sandbox = self._sandbox(request)
        metadata, spec = _metadata(body), _spec(body)
        name = metadata.pop("name", None) or f"preview-{spec['port']}"
        now = time.time()
        row = PreviewRow(
            id=self._id(sandbox, name, spec.get("prefixUrl", "")),
            sandbox=sandbox.name,
            name=name,
            record={"metadata": metadata, "spec": spec},
            created_at=now,
            expires_at=_expires_at(spec, now),
        )
        self._store.forget_expired(now)
        if not self._store.add_preview(row):
            raise Conflict(f"Preview {name} already exists.", code="PREVIEW_ALREADY_EXISTS")
        return JSONResponse(self._presenter.preview(row))

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._presenter.preview(self._preview(request)))

    async def update(self, request: Request) -> Response:
        body = await fields.body(request)
        row = self._preview(request)
        metadata, spec = _metadata(body), _spec(body)
        if metadata.pop("name", row.name) != row.name:
            raise Invalid("metadata.name can't be changed.")
        if spec != row.record["spec"]:
            self._preview_connections.end(row.id)
        row.record = {"metadata": metadata, "spec": spec}
        row.expires_at = _expires_at(spec, row.created_at)
        self._store.change_preview(row)
        return JSONResponse(self._presenter.preview(row))

    async def delete(self, request: Request) -> Response:
        row = self._preview(request)
        self._store.forget_preview(row.id)
        self._preview_connections.end(row.id)
        return JSONResponse(self._presenter.preview(row))

    async def tokens(self, request: Request) -> Response:
        preview = self._preview(request)
        rows = self._store.tokens(preview.id)
        return JSONResponse([self._presenter.token(row, preview) for row in rows])

    async def create_token(self, request: Request) -> Response:
        body = await fields.body(request)
        preview = self._preview(request)
        spec = fields.maybe_object(body.get("spec"), "spec")
        now = time.time()
        expires_at = now + TOKEN_LIVES
        if spec.get("expiresAt") is not None:
            written = fields.read_by(clock.moment, spec["expiresAt"], "spec.expiresAt")
            expires_at = clock.moment(written)
        row = TokenRow(
            name=f"token-{secrets.token_hex(6)}",
            preview=preview.id,
            value=secrets.token_urlsafe(32),
            expires_at=expires_at,
            created_at=now,
        )
        self._store.add_token(row)
        return JSONResponse(self._presenter.token(row, preview))

    async def delete_token(self, request: Request) -> Response:
        preview = self._preview(request)
        wanted = request.path_params["token"]
        # Clients name a token by its value, too: the TypeScript SDK shows them no other name.
        rows = [row for row in self._store.tokens(preview.id) if wanted in (row.name, row.value)]
        if not rows:
            raise NotFound(f"Token {wanted} not found.")
        self._store.forget_token(rows[0].name)
        self._preview_connections.end(preview.id, rows[0].name)
        return JSONResponse({"message": f"Token {rows[0].name} deleted."})

    def _sandbox(self, request: Request) -> Sandbox:
        sandbox = self._fleet.live(request.path_params["name"])
        if sandbox.row.phase == "DELETING":
            raise NotFound(f"Sandbox {sandbox.name} was deleted.")
        return sandbox

    def _id(self, sandbox: Sandbox, name: str, prefix: str) -> str:
        """Return the preview's name in its address: one DNS label, unguessable without a prefix.

        As long as the sandbox lives, a preview that is made again under its name has the same.
        """
        known = json.dumps([sandbox.name, sandbox.row.created_at, name, prefix])
        digest = hmac.digest(self._store.secret(), known.encode(), "sha256")
        letters = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)
        if prefix:
            return f"{prefix}-{self._presenter.workspace[:20].rstrip('-')}-{letters[:6]}"
        return letters[:22]

    def _preview(self, request: Request) -> PreviewRow:
        name = request.path_params["preview"]
        row = self._store.preview(self._sandbox(request).name, name)
        if row is None or _is_over(row, time.time()):
            raise NotFound(f"Preview {name} not found.")
        return row


def _is_over(row: PreviewRow, now: float) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _metadata(body: dict[str, Any]) -> Record:
    sent = fields.maybe_object(body.get("metadata"), "metadata")
    kept: Record = {}
    if sent.get("name"):
        kept["name"] = fields.a_string(sent["name"], "metadata.name", longest=63)
        if not _NAME.fullmatch(kept["name"]):
            raise Invalid("metadata.name must be letters, digits, dots, hyphens and underscores.")
    if sent.get("displayName"):
        kept["displayName"] = fields.a_string(
            sent["displayName"], "metadata.displayName", longest=63
        )
    return kept


def _spec(body: dict[str, Any]) -> Record:
    sent = fields.maybe_object(body.get("spec"), "spec")
    spec = {key: value for key, value in sent.items() if value is not None and key != "url"}
    fields.a_number(spec.get("port"), "spec.port", 1, 65_535)
    if spec["port"] in RESERVED_PORTS:
        raise Invalid(f"spec.port {spec['port']} is reserved.")
    fields.a_flag(spec.setdefault("public", False), "spec.public")
    if spec["public"] and spec["port"] == 443:
        raise Invalid("spec.public: port 443 is the sandbox's own API, which is never public.")
    prefix = fields.a_string(spec.get("prefixUrl", ""), "spec.prefixUrl", longest=30)
    if prefix and not _PREFIX.fullmatch(prefix):
        raise Invalid("spec.prefixUrl must be lower-case letters, digits and hyphens.")
    if spec.get("customDomain"):
        raise Invalid("spec.customDomain: local_blaxel has no custom domains.")
    if "ttl" in spec:
        fields.read_by(clock.duration, spec["ttl"], "spec.ttl")
    if "expires" in spec:
        fields.read_by(clock.moment, spec["expires"], "spec.expires")
    for key in ("requestHeaders", "responseHeaders"):
        if key in spec:
            _check_headers(spec[key], f"spec.{key}")
    return spec


def _check_headers(sent: Any, field: str) -> None:
    for name, value in fields.a_string_map(sent, field).items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise Invalid(f"{field}: {name!r} is not a header that can be set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise Invalid(f"{field}.{name} holds characters a header can't.")


def _expires_at(spec: Record, created_at: float) -> float | None:
    moments = []
    if "ttl" in spec:
        moments.append(created_at + clock.duration(spec["ttl"]))
    if "expires" in spec:
        moments.append(clock.moment(spec["expires"]))
    return min(moments, default=None)
