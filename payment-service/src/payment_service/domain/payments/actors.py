"""Who did something, as events and timelines name them."""

JANITOR = "janitor"
OPERATOR = "operator"
PAYER = "payer"
SHOP = "shop"


def api_client_actor(client_id: str) -> str:
    """Return the name of a merchant's program."""
    return f"api_client:{client_id}"


def provider_actor(name: str) -> str:
    """Return the name of a provider that told us something of its own accord."""
    return f"provider:{name}"
