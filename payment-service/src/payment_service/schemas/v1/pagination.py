"""Lists of /v1: their queries and their pages."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, ClassVar

import marshmallow as ma
from flask import request
from service_kit.web.strict_fields import QueryInteger

from payment_service.queries.pagination import PageRequest

MAX_LIMIT = 100
# Letters, digits and _ only: an ascii_bin column cannot be compared with anything else.
_PUBLIC_ID = ma.validate.Regexp(r"^[a-z]+_[0-9A-Za-z_]{1,56}$", error="Is not an id of ours.")


class PublicId(ma.fields.String):
    """A public id of ours in a body or a query, whichever kind of thing it names."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=_PUBLIC_ID, **kwargs)


class Timestamp(ma.fields.AwareDateTime):
    """A moment: ISO 8601 with an offset, shown in UTC with microseconds and a Z."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


class PageQuerySchema(ma.Schema):
    """The query of a list; lists with filters derive from it.

    Loads what ``gathers`` names: dataclasses, each out of the members that it takes, and the rest as it is.
    """

    gathers: ClassVar[Mapping[str, type[Any]]] = {"page": PageRequest}

    limit = QueryInteger(
        load_default=10,
        validate=ma.validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many at most."},
    )
    starting_after = PublicId(
        load_default=None, metadata={"description": "The id after which the page begins: older ones."}
    )
    ending_before = PublicId(
        load_default=None, metadata={"description": "The id before which the page ends: newer ones."}
    )

    @ma.validates_schema
    def check_cursors(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("starting_after") is not None and data.get("ending_before") is not None:
            raise ma.ValidationError("Give starting_after or ending_before, not both.", "ending_before")

    @ma.post_load
    def gather(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        gathered = {
            name: kind(**{field.name: data.pop(field.name) for field in fields(kind)})
            for name, kind in self.gathers.items()
        }
        return {**gathered, **data}


class CreatedQuerySchema(PageQuerySchema):
    created_from = Timestamp(load_default=None, metadata={"description": "Not created before this moment."})
    created_to = Timestamp(load_default=None, metadata={"description": "Created before this moment."})


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
