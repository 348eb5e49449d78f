"""The check digit of card numbers (ISO/IEC 7812-1, annex B)."""


def check_digit(digits: str) -> str:
    total = 0
    for position, character in enumerate(reversed(digits)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def is_valid(number: str) -> bool:
    return check_digit(number[:-1]) == number[-1]
