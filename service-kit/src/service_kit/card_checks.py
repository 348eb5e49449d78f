"""What can be checked of a card without asking anybody: its check digit and its expiry."""

from datetime import datetime, timedelta

# Where a day ends last (UTC-12): a payer there must not be refused half a day early.
_LAST_DAY_ENDS_LATER = timedelta(hours=12)


def check_digit(digits: str) -> str:
    """Return the check digit behind ``digits`` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def has_check_digit(number: str) -> bool:
    return check_digit(number[:-1]) == number[-1]


def has_expired(exp_month: int, exp_year: int, now: datetime) -> bool:
    """Whether the card's last month is over everywhere; ``now`` is in UTC."""
    last = now - _LAST_DAY_ENDS_LATER
    return (exp_year, exp_month) < (last.year, last.month)
