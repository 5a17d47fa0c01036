"""What programs read of a sandbox. Keys, their order and types are a contract."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from sandboxes.models import Sandbox
from sandboxes.status import Status


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
