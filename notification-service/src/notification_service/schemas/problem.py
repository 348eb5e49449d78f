"""The shape of every error answer, for the documentation."""

import marshmallow as ma
from marshmallow import fields


class ProblemSchema(ma.Schema):
    """A problem document (RFC 9457); ``error`` repeats ``detail``."""

    type = fields.String(metadata={"examples": ["urn:problem:event_reused"]})
    title = fields.String(metadata={"examples": ["Conflict"]})
    status = fields.Integer(metadata={"examples": [409]})
    detail = fields.String()
    code = fields.String(metadata={"examples": ["event_reused"]})
    instance = fields.String(metadata={"examples": ["/internal/notifications"]})
    error = fields.String()
    request_id = fields.String()
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Field by field, where a schema refused the input."},
    )
