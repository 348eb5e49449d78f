"""``/v1/merchant`` and ``/v1/balance``: the caller's own data, what it is owed, and how it came to that."""

from typing import Any

from service_kit.web.api import Blueprint

from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.request import current_dependencies
from payment_service.domain.positions import ENTRIES
from payment_service.models.merchant import Merchant
from payment_service.queries.balances import Balance, get_balance
from payment_service.queries.ledger_entries import ListedEntry, list_entries
from payment_service.queries.merchants import get_merchant
from payment_service.queries.pagination import Page
from payment_service.schemas.access import MerchantSchema
from payment_service.schemas.v1.balance import BalanceEntrySchema, BalanceSchema, EntryQuerySchema
from payment_service.schemas.v1.pagination import list_schema

merchant = Blueprint("merchant", "merchant", url_prefix="/v1/merchant", description="The merchant itself")
balance = Blueprint("balance", "balance", url_prefix="/v1/balance", description="The merchant's books")


@merchant.get("")
@require_scope("payments:read")
@merchant.response(200, MerchantSchema)
def show_merchant() -> Merchant:
    """Show the merchant whose access token this is."""
    return get_merchant(current_merchant_id())


@balance.get("")
@require_scope("balance:read")
@balance.response(200, BalanceSchema)
def show_balance() -> Balance:
    """Show the balance of every currency."""
    return get_balance(current_merchant_id())


@balance.get("/entries")
@require_scope("balance:read")
@balance.arguments(EntryQuerySchema, location="query")
@balance.response(200, list_schema(BalanceEntrySchema))
@balance.problem(400, "A filter, limit or cursor that cannot be read, or a cursor that is no entry's id")
def list_balance_entries(query: dict[str, Any]) -> Page[ListedEntry]:
    """List the entries of the books, newest first."""
    give_positions(ENTRIES, current_dependencies())
    return list_entries(current_merchant_id(), **query)
