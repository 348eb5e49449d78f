"""Domain errors: facts, without status codes."""


class NotificationUnknown(Exception):
    """Nobody was told of an event with this id."""
