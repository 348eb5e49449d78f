"""Domain errors: facts, without status codes."""


class RequestIdReused(Exception):
    """This request id was used before, with other parameters."""


class RequestUnknown(Exception):
    """No request with this id has arrived."""


class InjectedError(Exception):
    """The fault plan wanted an error here."""


class AnswerLost(Exception):
    """The answer was thrown away together with its connection."""


class RequestNotPending(Exception):
    """The bank has nothing to decide about this request."""


class ChallengeUnknown(Exception):
    """There never was a challenge at this address."""


class DisputeUnknown(Exception):
    """There is no such dispute."""


class CannotBeDisputed(Exception):
    """Less than that of the payment was captured and is in no dispute yet."""


class DisputeClosed(Exception):
    """The dispute ended the other way."""
