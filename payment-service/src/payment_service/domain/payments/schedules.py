"""When the janitor inquires at a provider about a movement whose outcome is open."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_HOURLY_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class InquirySchedule:
    """The first inquiries come ``after_s`` seconds after the movement began, then hourly, then daily."""

    after_s: tuple[float, ...]
    hourly_s: float
    daily_s: float

    def next_ask_at(self, started_at: datetime, ask_count: int, now: datetime) -> datetime:
        """Return when the next inquiry is due after ``ask_count`` of them; never before ``now``."""
        if ask_count < len(self.after_s):
            return max(now, started_at + timedelta(seconds=self.after_s[ask_count]))
        pause_s = self.hourly_s if now - started_at < _HOURLY_FOR else self.daily_s
        return now + timedelta(seconds=pause_s)
