"""Lists of /v1: their queries and their pages."""

from typing import Any

import marshmallow as ma
from flask import request
from service_kit.web.shown_fields import constant
from service_kit.web.strict_fields import QueryInteger, UtcTime

from payment_service.queries.pagination import PageRequest
from payment_service.schemas.v1 import examples

MAX_LIMIT = 100
# Letters, digits and _ only: an ascii_bin column cannot be compared with anything else.
_PUBLIC_ID = ma.validate.Regexp(r"^[a-z]+_[0-9A-Za-z_]{1,56}$", error="Is not an id of ours.")


class PublicId(ma.fields.String):
    """A public id of ours in a body or a query, whichever kind of thing it names."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=_PUBLIC_ID, **kwargs)


class PageQuerySchema(ma.Schema):
    """The query of a list; lists with filters derive from it. Loads ``page``, a PageRequest, and the rest."""

    limit = QueryInteger(
        load_default=10,
        validate=ma.validate.Range(1, MAX_LIMIT),
        metadata={"description": f"How many rows at most, up to {MAX_LIMIT}.", "example": 20},
    )
    starting_after = PublicId(
        load_default=None,
        metadata={
            "description": "The id of the row after which the page begins: older ones follow.",
            "example": examples.PAYMENT,
        },
    )
    ending_before = PublicId(
        load_default=None,
        metadata={
            "description": "The id of the row before which the page ends: the newer ones next to it. In this "
            "direction payments, refunds, disputes and stored cards appear a minute after they were made, so "
            "that none is passed over. To follow what happens, follow `GET /v1/events`.",
            "example": examples.PAYMENT,
        },
    )

    @ma.validates_schema
    def check_cursors(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("starting_after") is not None and data.get("ending_before") is not None:
            raise ma.ValidationError("Give starting_after or ending_before, not both.", "ending_before")

    @ma.post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        names = ("limit", "starting_after", "ending_before")
        return {"page": PageRequest(**{name: data.pop(name) for name in names}), **data}


class CreatedQuerySchema(PageQuerySchema):
    created_from = UtcTime(
        load_default=None,
        metadata={
            "description": "Created at this moment or later; ISO 8601 with an offset.",
            "example": "2026-11-01T00:00:00Z",
        },
    )
    created_to = UtcTime(
        load_default=None,
        metadata={
            "description": "Created before this moment; ISO 8601 with an offset.",
            "example": "2026-12-01T00:00:00Z",
        },
    )


def list_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """Return the schema of a ``Page`` of rows that ``item`` shows."""
    name = item.__name__.removesuffix("Schema")
    return ma.Schema.from_dict(
        {
            "object": constant("list"),
            "url": ma.fields.Function(
                lambda _page: request.path,
                required=True,
                metadata={
                    "type": "string",
                    "example": "/v1/payments",
                    "description": "The path of the list of which this is a page.",
                },
            ),
            "has_more": ma.fields.Boolean(
                required=True,
                metadata={"example": False, "description": "Whether there are more rows in this direction."},
            ),
            "data": ma.fields.List(
                ma.fields.Nested(item),
                required=True,
                attribute="rows",
                metadata={"description": "The rows of the page, newest first."},
            ),
        },
        name=f"{name}List",
    )
