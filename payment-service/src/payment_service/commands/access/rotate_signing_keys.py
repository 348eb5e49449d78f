"""Makes a new signing key, which takes over from the present one after a while."""

from datetime import timedelta

from service_kit.clock import utc_now
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from payment_service.domain.access.signing_keys import PUBLISHED_AHEAD
from payment_service.extensions import db
from payment_service.models.merchant import SigningKey
from payment_service.processing.dependencies import Dependencies
from payment_service.values.scopes import SigningAlgorithm


def rotate_signing_keys(
    algorithm: SigningAlgorithm, dependencies: Dependencies, *, at_once: bool = False
) -> SigningKey:
    """Store a new key and return it.

    It is published at once and signs after ``PUBLISHED_AHEAD``, when the present one retires. The very
    first one, and one that must sign ``at_once``, signs now: others may not have seen it yet.
    """
    ahead = timedelta(0) if at_once else PUBLISHED_AHEAD
    return _store(algorithm, dependencies, ahead, only_the_first=False)


def ensure_signing_key(dependencies: Dependencies) -> SigningKey:
    """Make the first key unless there is one; return the one that signs."""
    return _store(SigningAlgorithm.EDDSA, dependencies, PUBLISHED_AHEAD, only_the_first=True)


def _store(
    algorithm: SigningAlgorithm, dependencies: Dependencies, ahead: timedelta, *, only_the_first: bool
) -> SigningKey:
    now = utc_now()
    pair = dependencies.tokens.ring.sealer.generate(algorithm)

    def work(session: Session) -> SigningKey:
        in_force = list(
            session.scalars(
                select(SigningKey)
                .where(or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > now))
                .order_by(SigningKey.activated_at, SigningKey.id)
                .with_for_update()
            )
        )
        if only_the_first and in_force:
            return in_force[0]
        takes_over_at = now + ahead if in_force else now
        for key in in_force:
            # One that retires earlier has a successor by then, which is here too.
            key.retired_at = min(key.retired_at or takes_over_at, takes_over_at)
        row = SigningKey(**pair, created_at=now, activated_at=takes_over_at)
        session.add(row)
        session.flush()
        return row

    return db.in_transaction(work)
