"""Withdraws a signing key at once, with every token that it signed."""

from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.access.signing_keys import LEEWAY, TOKEN_LIFETIME, RingKey
from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.merchant import SigningKey
from payment_service.processing.dependencies import Dependencies
from payment_service.values.scopes import SigningAlgorithm


def revoke_signing_key(kid: str, dependencies: Dependencies) -> SigningKey | None:
    """Revoke a key whose private half others may know; return the one that signs in its place, if it did.

    That is the next one where there is one already, or else a new one. Every process knows of it after
    ``REMEMBERED_S``; others may keep our published keys for ``JWKS_KEPT``.

    Raises:
        NotFound: there is no key of this id.
    """
    now = utc_now()
    with db.reading() as session:
        algorithm = session.scalar(select(SigningKey.algorithm).where(SigningKey.kid == kid))
    if algorithm is None:
        raise NotFound("signing key")
    pair = dependencies.tokens.ring.sealer.generate(SigningAlgorithm(algorithm))

    def work(session: Session) -> SigningKey | None:
        keys = session.scalars(select(SigningKey).order_by(SigningKey.activated_at).with_for_update()).all()
        revoked = next(key for key in keys if key.kid == kid)
        # It has retired so long ago that its last token has expired.
        withdrawn_at = now - TOKEN_LIFETIME - LEEWAY
        revoked.retired_at = min(revoked.retired_at or withdrawn_at, withdrawn_at)
        others = [key for key in keys if key is not revoked]
        present = next((key for key in reversed(others) if RingKey.of(key).signs(now)), None)
        if present is not None:
            if all(key.retired_at is not None for key in others):
                # The revoked key was to take over from it.
                present.retired_at = None
            return None
        successor = next((key for key in others if key.activated_at > now), None)
        if successor is None:
            successor = SigningKey(**pair, created_at=now)
            session.add(successor)
        successor.activated_at = now
        session.flush()
        return successor

    return db.in_transaction(work)
