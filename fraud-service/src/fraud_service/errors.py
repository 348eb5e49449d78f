"""What can be wrong with a request, as facts."""


class AssessmentNotFound(Exception):
    """No attempt with this id was assessed."""


class AttemptAssessedDifferently(Exception):
    """The same attempt id was assessed before, with other inputs."""


class ListEntryExists(Exception):
    """The list holds this value already."""


class ListEntryNotFound(Exception):
    """The list does not hold this value."""


class InvalidListValue(ValueError):
    """The value cannot be one of this subject; the message says what it must look like."""
