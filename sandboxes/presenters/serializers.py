"""JSON of a sandbox for programs. Keys, their order and types are a contract."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from manta.core.api_input import Serializer
from sandboxes.models import Phase, Sandbox
from sandboxes.models.status import Status


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, without a fraction, ending in Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SandboxSerializer(serializers.Serializer[Sandbox]):
    """A sandbox, as programs read it. Null where it is not known yet."""

    sandboxId = serializers.CharField(source="name")
    sandboxUrl = serializers.SerializerMethodField()
    mcpServerUrl = serializers.SerializerMethodField()
    createdAt = serializers.SerializerMethodField()
    status = serializers.ChoiceField(
        source="last_known_status",
        choices=[status.value for status in Status if status is not Status.UNKNOWN],
    )

    # Manta's own MCP, which works for every sandbox alike.
    mcpUrl = serializers.SerializerMethodField()

    def get_mcpUrl(self, sandbox: Sandbox) -> str:
        return settings.MCP_URL

    def get_sandboxUrl(self, sandbox: Sandbox) -> str | None:
        return sandbox.url or None

    def get_mcpServerUrl(self, sandbox: Sandbox) -> str | None:
        # http -> ws, https -> wss
        return sandbox.url.replace("http", "ws", 1) if sandbox.url else None

    def get_createdAt(self, sandbox: Sandbox) -> str:
        created = sandbox.provider_created_at or sandbox.created_at
        return stamp(created)

    def to_representation(self, instance: Sandbox) -> dict[str, Any]:
        data = super().to_representation(instance)
        if instance.status is Status.UNKNOWN and instance.checked_at:
            data["checkedAt"] = stamp(instance.checked_at)
        return data


class SandboxDetailSerializer(SandboxSerializer):
    """All that the panel shows."""

    image = serializers.CharField()
    memoryMb = serializers.IntegerField(source="memory_mb")
    region = serializers.CharField()
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True)
    expiresAt = serializers.DateTimeField(
        source="expires_at", allow_null=True, help_text="As the provider reports it."
    )
    keptUntil = serializers.DateTimeField(
        source="extended_until", allow_null=True, help_text="The date that Extend last requested."
    )
    checkedAt = serializers.DateTimeField(source="checked_at", allow_null=True)
    restarting = serializers.SerializerMethodField()
    deleting = serializers.SerializerMethodField()
    errorCode = serializers.CharField(source="error_code")
    error = serializers.CharField(source="error_message")

    def get_restarting(self, sandbox: Sandbox) -> bool:
        return sandbox.restart_wanted_at is not None

    def get_deleting(self, sandbox: Sandbox) -> bool:
        return sandbox.phase == Phase.DELETING


# One for all: a serializer copies its fields when it is made.
_brief, _detailed = SandboxSerializer(), SandboxDetailSerializer()


def in_brief(sandbox: Sandbox) -> dict[str, Any]:
    return _brief.to_representation(sandbox)


def in_detail(sandbox: Sandbox) -> dict[str, Any]:
    return _detailed.to_representation(sandbox)


class DetailResponse(serializers.Serializer[Any]):
    sandbox = SandboxDetailSerializer()


class ConfirmRequest(Serializer):
    confirm = serializers.CharField(
        help_text="The sandbox's id, as a confirmation: its files will be lost."
    )


class InitResponse(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    sandbox = SandboxSerializer()


class StatusResponse(serializers.Serializer[Any]):
    sandbox = SandboxSerializer(allow_null=True)
    message = serializers.CharField(required=False)


class ErrorResponse(serializers.Serializer[Any]):
    error = serializers.CharField()
    code = serializers.CharField(required=False)
    help = serializers.CharField(required=False)
