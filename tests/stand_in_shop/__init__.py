"""A shop that talks to the gateway exactly as Store Manager does, where the real one is not there."""

from tests.stand_in_shop.shop import Shop, create_app

__all__ = ["Shop", "create_app"]
