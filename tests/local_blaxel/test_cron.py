from datetime import UTC, datetime

import pytest

from local_blaxel.schedules.cron import Cron


def after(text, moment):
    begin = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return datetime.fromtimestamp(Cron.parse(text).after(begin.timestamp()), UTC)


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("* * * * *", "2026-07-01T10:00:00", "2026-07-01T10:01"),
        ("* * * * *", "2026-07-01T10:00:59", "2026-07-01T10:01"),
        ("*/15 * * * *", "2026-07-01T10:50", "2026-07-01T11:00"),
        ("5/20 * * * *", "2026-07-01T10:26", "2026-07-01T10:45"),
        ("0 8 * * 1-5", "2026-07-03T08:00", "2026-07-06T08:00"),
        ("0 8 * * mon,WED", "2026-07-06T08:00", "2026-07-08T08:00"),
        ("30 23 31 * *", "2026-06-15T00:00", "2026-07-31T23:30"),
        ("0 0 1 jan *", "2026-07-01T00:00", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2026-07-01T00:00", "2028-02-29T00:00"),
        ("0 0 13 * 5", "2026-07-01T00:00", "2026-07-03T00:00"),
        ("0 0 * * 7", "2026-07-01T00:00", "2026-07-05T00:00"),
        ("0 22-23/1,3 * * *", "2026-07-01T04:00", "2026-07-01T22:00"),
    ],
)
def test_the_next_time_is_what_cron_says(text, moment, expected):
    assert after(text, moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *"),
        *(
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1,,2 * * * *",
            "@daily",
            "-1 * * * *",
        ),
        *("* * * * ²", "99999999999 * * * *", "*/ * * * *", "*-3 * * * *"),
    ],
)
def test_what_is_no_cron_expression_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Cron.parse(text)


def test_a_day_that_never_comes_is_refused():
    with pytest.raises(ValueError, match="never"):
        after("0 0 30 2 *", "2026-07-01T00:00")
