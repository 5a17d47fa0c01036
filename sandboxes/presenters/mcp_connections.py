"""Connections that can use a user's sandbox over MCP now, with their last call."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import ConnectedAgent, PersonalToken, Scope, User
from sandboxes.models import ToolCall

# Each connection's last call is looked for among this many of the newest.
_NEWEST = 200


@dataclass(frozen=True)
class Connection:
    key: str
    name: str
    is_agent: bool
    last_used_at: datetime | None
    last_call: ToolCall | None


def connections(user: User) -> list[Connection]:
    """Three indexed reads, however many calls there were."""
    last: dict[str, ToolCall] = {}
    for call in ToolCall.objects.for_user(user)[:_NEWEST]:
        last.setdefault(call.agent_key, call)
    tokens = [
        token
        for token in PersonalToken.objects.for_user(user).usable()
        if Scope.MCP in token.scopes
    ]
    agents = ConnectedAgent.objects.for_user(user).usable().select_related("client")
    return [
        Connection(
            each.key,
            str(each),
            isinstance(each, ConnectedAgent),
            each.last_used_at,
            last.get(each.key),
        )
        for each in (*agents, *tokens)
    ]
