"""What 3-D Secure 2 came to, and what follows from it."""

from dataclasses import dataclass

from bank_simulator.values.vocabulary import (
    AuthenticationStatus,
    CardholderCheck,
    Liability,
    ThreeDSecureMode,
)

# By the first digit of the number: MasterCard's 5, everybody else writes Visa's.
_ECI = {
    AuthenticationStatus.AUTHENTICATED: ("05", "02"),
    AuthenticationStatus.ATTEMPTED: ("06", "01"),
    AuthenticationStatus.FAILED: ("07", "00"),
    AuthenticationStatus.UNAVAILABLE: ("07", "00"),
}
_WITHOUT_CHALLENGE = {
    CardholderCheck.RISK_BASED: AuthenticationStatus.AUTHENTICATED,
    CardholderCheck.FRICTIONLESS: AuthenticationStatus.AUTHENTICATED,
    CardholderCheck.ATTEMPTED: AuthenticationStatus.ATTEMPTED,
    CardholderCheck.FAILED: AuthenticationStatus.FAILED,
    CardholderCheck.UNAVAILABLE: AuthenticationStatus.UNAVAILABLE,
}
_PROTECTING = {AuthenticationStatus.AUTHENTICATED, AuthenticationStatus.ATTEMPTED}


@dataclass(frozen=True, slots=True)
class ThreeDSecure:
    """What a merchant asks for: how much, and where the cardholder's browser goes afterwards.

    ``merchant_name`` is what the cardholder knows it by.
    """

    mode: ThreeDSecureMode
    return_url: str
    merchant_name: str | None = None


@dataclass(frozen=True, slots=True)
class Authentication:
    status: AuthenticationStatus
    eci: str

    @property
    def liability(self) -> Liability:
        """Who bears a fraud: the issuer, once the cardholder was authenticated or that was attempted."""
        return Liability.ISSUER if self.status in _PROTECTING else Liability.MERCHANT


def authentication(status: AuthenticationStatus, card_number: str) -> Authentication:
    """Return ``status`` with its indicator: Visa's 05, 06 or 07, MasterCard's 02, 01 or 00."""
    visa, mastercard = _ECI[status]
    return Authentication(status, mastercard if card_number.startswith("5") else visa)


def check_cardholder(check: CardholderCheck, mode: ThreeDSecureMode) -> AuthenticationStatus | None:
    """Return how 3-D Secure ends at once, or None when the cardholder has to pass a challenge."""
    if check is CardholderCheck.RISK_BASED and mode is ThreeDSecureMode.REQUIRED:
        return None
    return _WITHOUT_CHALLENGE.get(check)
