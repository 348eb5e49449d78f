"""Lists of /v1: their queries and their pages."""

from typing import Any

import marshmallow as ma
from flask import request
from service_kit.web.strict_fields import QueryInteger, UtcTime

from payment_service.queries.pagination import PageRequest

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
        metadata={"description": "How many at most."},
    )
    starting_after = PublicId(
        load_default=None, metadata={"description": "The id after which the page begins: older ones."}
    )
    ending_before = PublicId(
        load_default=None,
        metadata={
            "description": "The id before which the page ends: newer ones. In this direction payments, "
            "refunds, disputes and stored cards appear a minute after they were made, so that none is passed "
            "over. To follow what happens, follow `GET /v1/events`."
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
    created_from = UtcTime(load_default=None, metadata={"description": "Not created before this moment."})
    created_to = UtcTime(load_default=None, metadata={"description": "Created before this moment."})


def list_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """Return the schema of a ``Page`` of rows that ``item`` shows."""
    name = item.__name__.removesuffix("Schema")
    return ma.Schema.from_dict(
        {
            "object": ma.fields.Constant("list", required=True),
            "url": ma.fields.Function(
                lambda _page: request.path,
                required=True,
                metadata={"type": "string", "description": "The list of which this is a page."},
            ),
            "has_more": ma.fields.Boolean(
                required=True, metadata={"description": "Whether there are more in this direction."}
            ),
            "data": ma.fields.List(ma.fields.Nested(item), required=True, attribute="rows"),
        },
        name=f"{name}List",
    )
