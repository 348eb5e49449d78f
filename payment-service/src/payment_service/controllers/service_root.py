"""``GET /``: who answers here."""

import marshmallow as ma
from service_kit.web.api import Blueprint

service_root = Blueprint("service", "service", description="Who answers here")


class ServiceSchema(ma.Schema):
    service = ma.fields.String(metadata={"example": "PaymentMicroservice"})
    status = ma.fields.String(metadata={"example": "running"})


@service_root.get("/")
@service_root.response(200, ServiceSchema)
def show_service() -> dict[str, str]:
    """Say that the service runs; a body sent along is ignored (the collections send one)."""
    return {"service": "PaymentMicroservice", "status": "running"}
