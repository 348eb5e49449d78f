"""The algorithms that sign access tokens, by their names in a token's header."""

from enum import StrEnum


class SigningAlgorithm(StrEnum):
    """EdDSA is Ed25519 here (RFC 8037), under the name that gateways know; RS256 is RSA with 2048 bits."""

    EDDSA = "EdDSA"
    RS256 = "RS256"
