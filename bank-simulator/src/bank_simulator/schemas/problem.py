"""The problem document, for the API description."""

import marshmallow as ma
from marshmallow import fields


class ProblemSchema(ma.Schema):
    """RFC 9457; ``code`` is for programs, ``detail`` for people."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    instance = fields.String(required=True)
    error = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
