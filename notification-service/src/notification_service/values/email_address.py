"""E-mail addresses: which ones we write to, and how the lab makes one up."""

import re

from notification_service.errors import AddressNotUsable

# RFC 5321 dot-atom and lengths. Quoted local parts and SMTPUTF8 are left out: most servers refuse them.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NOT_IN_USER_ID = re.compile(r"[^A-Za-z0-9._-]")
# A local part has 64 characters at most; the address is made up, so nothing hangs on the rest of a long id.
_USER_ID_CHARACTERS = 48
PLACEHOLDER = "{user_id}"


def email_address(text: str) -> str:
    """Return the address to write to; a domain in other letters is turned into its ASCII form (IDNA).

    Raises:
        AddressNotUsable: it is no address, or one that mail servers commonly refuse.
    """
    local, _, domain = text.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise AddressNotUsable("The domain of the e-mail address is not valid.") from exc
    address = f"{local}@{ascii_domain}"
    if len(local) > 64 or len(address) > 254 or not _LOCAL.fullmatch(local) or not _is_domain(ascii_domain):
        raise AddressNotUsable("This is not an e-mail address that can be written to.")
    return address


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


def _is_domain(domain: str) -> bool:
    return len(domain) <= 253 and _DOMAIN.fullmatch(domain) is not None
