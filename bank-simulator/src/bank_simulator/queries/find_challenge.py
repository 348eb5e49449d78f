"""What the access control server's page shows."""

from dataclasses import dataclass

from sqlalchemy import select

from bank_simulator.errors import ChallengeUnknown
from bank_simulator.extensions import db
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.vocabulary import Bank


@dataclass(frozen=True, slots=True)
class Challenge:
    """The request that waits, or waited, for its cardholder, and what they know their card by."""

    request: NetworkRequest
    bank: Bank
    last4: str


def find_challenge(acs_token: str) -> Challenge:
    """Return the challenge with this token.

    Raises:
        ChallengeUnknown: there never was one.
    """
    query = (
        select(NetworkRequest, Card)
        .join(Card, Card.id == NetworkRequest.card_id)
        .where(NetworkRequest.acs_token == acs_token)
    )
    with db.reading() as session:
        found = session.execute(query).first()
    if found is None:
        raise ChallengeUnknown
    request, card = found
    return Challenge(request, card.bank, card.number[-4:])
