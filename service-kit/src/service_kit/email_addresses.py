"""Which e-mail addresses we write to: one rule for whoever takes an address and whoever sends to it."""

from email_validator import EmailNotValidError, validate_email


class AddressNotUsable(Exception):
    """The text is no address, or one that mail servers commonly refuse; the message says why."""


def email_address(text: str) -> str:
    """Return the address as it is written in ASCII: other letters of its domain by IDNA 2008.

    Left out are what most servers refuse: quoted local parts, letters that need SMTPUTF8, IP addresses, and
    domains that nobody can have (RFC 6761).

    Raises:
        AddressNotUsable: we would not write to it.
    """
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as exc:
        raise AddressNotUsable(str(exc)) from exc
    address = found.ascii_email
    if address is None:  # pragma: no cover - only with SMTPUTF8
        raise AddressNotUsable("The address needs SMTPUTF8.")
    return address
