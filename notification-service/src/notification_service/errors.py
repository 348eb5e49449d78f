"""Domain errors: facts, without status codes."""


class NoRecipient(Exception):
    """There is neither an address nor a user to make one up for."""


class EventReused(Exception):
    """This event id was used before, for something else."""


class NotificationUnknown(Exception):
    """No notification with this event id has been accepted."""
