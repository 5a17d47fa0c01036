import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.timezone import is_naive, make_aware

from sandboxes.models import SandboxEvent
from sandboxes.presenters import event_log


class Command(BaseCommand):
    help = "Exports the record of what was done to sandboxes: JSON lines, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_moment, help="a date or time, such as 2026-01-31")
        parser.add_argument("--until", type=_moment, help="a date or time, not included")
        parser.add_argument("--owner", help="the owner's e-mail address")
        parser.add_argument("--sandbox", help="a sandbox's name")
        parser.add_argument("--action", help="such as 'delete requested'")

    def handle(self, *args: Any, **options: Any) -> None:
        events = _filtered(options).order_by("pk").select_related("owner")
        for line in event_log.json_lines(events.iterator(chunk_size=1000)):
            sys.stdout.write(line)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise CommandError(f"{text!r} is not a date or time, such as 2026-01-31.") from exc
    return make_aware(moment) if is_naive(moment) else moment


def _filtered(options: dict[str, Any]) -> QuerySet[SandboxEvent]:
    lookups = {
        "created_at__gte": options["since"],
        "created_at__lt": options["until"],
        "owner__email__iexact": options["owner"],
        "sandbox_name": options["sandbox"],
        "action": options["action"],
    }
    given = {lookup: value for lookup, value in lookups.items() if value is not None}
    events: QuerySet[SandboxEvent] = SandboxEvent.objects.filter(**given)
    return events
