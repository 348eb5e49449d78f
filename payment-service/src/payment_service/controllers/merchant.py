"""``/v1/merchant``: the caller's own data."""

from service_kit.web.api import Blueprint

from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.models.merchant import Merchant
from payment_service.queries.merchants import get_merchant
from payment_service.schemas.access import MerchantSchema

merchant = Blueprint("merchant", "merchant", url_prefix="/v1/merchant", description="The merchant itself")


@merchant.get("")
@require_scope("payments:read")
@merchant.response(200, MerchantSchema)
def show_merchant() -> Merchant:
    """Show the merchant whose access token this is."""
    return get_merchant(current_merchant_id())
