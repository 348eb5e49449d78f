"""How the lab makes an e-mail address up."""

import re

from service_kit.email_addresses import AddressNotUsable, email_address

_NOT_IN_USER_ID = re.compile(r"[^A-Za-z0-9._-]")
# A local part has 64 characters at most; the address is made up, so nothing hangs on the rest of a long id.
_USER_ID_CHARACTERS = 48
PLACEHOLDER = "{user_id}"


def lab_address(pattern: str, user_id: str) -> str:
    """Return the made-up address of a lab user: ``pattern`` with the id in it, made harmless.

    Raises:
        AddressNotUsable: the pattern makes no address.
    """
    harmless = _NOT_IN_USER_ID.sub("_", user_id)[:_USER_ID_CHARACTERS]
    try:
        return email_address(pattern.replace(PLACEHOLDER, harmless))
    except AddressNotUsable:
        # Dots may not touch one another, nor stand at an end.
        return email_address(pattern.replace(PLACEHOLDER, harmless.replace(".", "_")))


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that holds anything but ``{user_id}``, or that makes no address.

    Raises:
        AddressNotUsable: so it is.
    """
    if "{" in pattern.replace(PLACEHOLDER, "") or "}" in pattern.replace(PLACEHOLDER, ""):
        raise AddressNotUsable(f"{pattern!r} may hold no other placeholder than {PLACEHOLDER}.")
    lab_address(pattern, "1")
