import re

import pytest
from joserfc.jwk import OKPKey, RSAKey
from payment_service.domain.access.api_clients import ClientSecrets, new_client_secret
from payment_service.domain.access.signing_keys import KeySealer
from payment_service.errors import SigningKeyUnreadable
from payment_service.values.scopes import SCOPE_MEANINGS, Scope, SigningAlgorithm, parse_scopes, write_scopes


def test_client_secrets_hold_256_random_bits() -> None:
    secrets = {new_client_secret() for _ in range(50)}

    assert len(secrets) == 50
    assert all(re.fullmatch(r"cs_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_a_secret_is_sealed_with_the_key_and_matches_any_of_the_valid_ones() -> None:
    ours, others = ClientSecrets(b"ours"), ClientSecrets(b"others")
    sealed = ours.seal("cs_one")

    assert re.fullmatch(r"[0-9a-f]{64}", sealed)
    assert sealed != others.seal("cs_one")
    assert ours.matches("cs_one", [sealed])
    assert ours.matches("cs_one", [ours.seal("cs_two"), sealed])
    assert not ours.matches("cs_two", [sealed])
    assert not others.matches("cs_one", [sealed])
    assert not ours.matches("cs_one", [])


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_a_private_key_opens_only_with_its_key_and_under_its_name(algorithm: SigningAlgorithm) -> None:
    sealer = KeySealer(b"ours")
    pair, other = sealer.generate(algorithm), sealer.generate(algorithm)

    key = sealer.open(pair["kid"], pair["sealed_private_jwk"])

    assert isinstance(key, OKPKey if algorithm is SigningAlgorithm.EDDSA else RSAKey)
    assert key.thumbprint() == pair["kid"]
    assert '"d"' not in pair["public_jwk"]
    changed = "AAAA" + pair["sealed_private_jwk"][4:]
    for opener, kid, sealed in (
        (KeySealer(b"others"), pair["kid"], pair["sealed_private_jwk"]),
        (sealer, other["kid"], pair["sealed_private_jwk"]),
        (sealer, pair["kid"], changed),
    ):
        with pytest.raises(SigningKeyUnreadable):
            opener.open(kid, sealed)


def test_scopes_are_read_and_written_in_one_order() -> None:
    assert parse_scopes("refunds:write  payments:read") == {Scope.REFUNDS_WRITE, Scope.PAYMENTS_READ}
    assert write_scopes([Scope.REFUNDS_WRITE, Scope.PAYMENTS_READ]) == "payments:read refunds:write"
    assert set(SCOPE_MEANINGS) == set(Scope)
    with pytest.raises(ValueError, match="payments:fly"):
        parse_scopes("payments:fly")
