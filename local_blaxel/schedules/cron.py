"""Cron expressions of five fields, in UTC: minute, hour, day of month, month, day of week."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# A leap day is at most eight years away.
_LOOK_AHEAD_DAYS = 9 * 366


@dataclass(frozen=True)
class Cron:
    minutes: list[int]
    hours: list[int]
    days: set[int]
    months: set[int]
    weekdays: set[int]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """ValueError, in words, for what is no cron expression."""
        parts = text.split()
        if len(parts) != 5:
            raise ValueError(f"{text[:40]!r} must have five fields: minute hour day month weekday")
        minute, hour, day, month, weekday = parts
        weekdays = {number % 7 for number in _field(weekday, 0, 7, _WEEKDAYS)}
        return cls(
            minutes=sorted(_field(minute, 0, 59)),
            hours=sorted(_field(hour, 0, 23)),
            days=_field(day, 1, 31),
            months=_field(month, 1, 12, _MONTHS, first=1),
            weekdays=weekdays,
            any_day=day.startswith("*"),
            any_weekday=weekday.startswith("*"),
        )

    def after(self, seconds: float) -> float:
        """The first minute that matches after this moment; ValueError when none ever does."""
        start = datetime.fromtimestamp(seconds, UTC).replace(second=0, microsecond=0)
        start += timedelta(minutes=1)
        for offset in range(_LOOK_AHEAD_DAYS):
            day = start.date() + timedelta(days=offset)
            if not self._is_on(day):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if moment >= start:
                        return moment.timestamp()
        raise ValueError("this day never comes")

    def _is_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        on_day, on_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return on_day and on_weekday
        # As cron does it: with both given, either is enough.
        return on_day or on_weekday


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> set[int]:
    numbers: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        if span == "*":
            start, stop = low, high
        else:
            start = _number(begin, names, first)
            stop = _number(end, names, first) if "-" in span else high if step else start
        every = _number(step, (), 0) if "/" in part else 1
        if not low <= start <= stop <= high or every < 1:
            raise ValueError(f"{part[:40]!r} is not within {low}-{high}")
        numbers.update(range(start, stop + 1, every))
    return numbers


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    if text in names:
        return names.index(text) + first
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise ValueError(f"{text[:40]!r} is not a number")
    return int(text)
