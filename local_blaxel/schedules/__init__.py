"""Commands that run in a sandbox at their time: by cron, at a moment, or after a while."""

from .api import ScheduleApi
from .scheduler import Scheduler

__all__ = ["ScheduleApi", "Scheduler"]
