"""What a capture, a void and a refund are at the provider."""

from payment_service.domain.settlement.follow_up import FollowUp
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.void import Void
from payment_service.providers.port import (
    CaptureRequest,
    Provider,
    ProviderResult,
    RefundRequest,
    VoidRequest,
)


def call_provider(provider: Provider, movement: FollowUp, original_id: str) -> ProviderResult:
    """Have the movement carried out on the attempt ``original_id``. Raises ``NotSent``."""
    if isinstance(movement, Capture):
        return provider.capture(
            CaptureRequest(movement.public_id, original_id, movement.amount, movement.is_final)
        )
    if isinstance(movement, Void):
        return provider.void(VoidRequest(movement.public_id, original_id))
    return provider.refund(RefundRequest(movement.public_id, original_id, movement.amount))
