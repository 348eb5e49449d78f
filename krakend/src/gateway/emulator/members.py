"""Take a JSON object apart member by member, so that what nobody asked for can be refused by name."""

from typing import Any, TypeVar

from gateway.settings import InvalidSetting, duration_s

T = TypeVar("T")


class Refused(Exception):
    """A member that the emulator does not know, or a value that it does not implement."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member}: {reason}")


class Members:
    """One JSON object of the file; every reader below also marks its member as known."""

    def __init__(self, value: Any, where: str, *, is_given: bool = True) -> None:
        if not isinstance(value, dict):
            raise Refused(where or "the file", "must be an object")
        self._value = value
        self._where = where
        self._known: set[str] = set()
        self.is_given = is_given

    def name_of(self, member: str) -> str:
        """The member's full name, such as `endpoints[3].timeout`."""
        return f"{self._where}.{member}" if self._where else member

    def refuse_the_rest(self) -> None:
        """Refuse every member that no reader has asked for; comments (`@…`, `$…`, `#…`, `_…`) may stay."""
        for member in self._value:
            if member not in self._known and member[:1] not in ("@", "$", "#", "_"):
                raise Refused(self.name_of(member), "the emulator does not implement this member")

    def constant(self, member: str, value: str | bool | int) -> None:
        found = self._take(member)
        if found != value or type(found) is not type(value):
            raise Refused(
                self.name_of(member), f"must be {value!r} (it is {found!r}); nothing else is implemented"
            )

    def text(self, member: str) -> str:
        return self._typed(member, str)

    def optional_text(self, member: str) -> str | None:
        return self._typed(member, str) if member in self._value else None

    def boolean(self, member: str) -> bool:
        return self._typed(member, bool) if member in self._value else False

    def integer(self, member: str, default: int | None = None) -> int:
        """A whole number; without a default it must be there."""
        return default if default is not None and member not in self._value else self._typed(member, int)

    def number(self, member: str) -> float:
        """A number that must be there (KrakenD switches a limit off when it stands in quotes)."""
        value = self._take(member)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(self.name_of(member), f"{value!r} is not a number")
        return float(value)

    def duration(self, member: str, default: str = "0s") -> float:
        """Seconds of a text such as `500ms`."""
        text = self._typed(member, str) if member in self._value else default
        try:
            return duration_s(text)
        except InvalidSetting as exc:
            raise Refused(self.name_of(member), str(exc)) from exc

    def texts(self, member: str) -> list[str]:
        items = self._typed(member, list) if member in self._value else []
        if not all(isinstance(item, str) for item in items):
            raise Refused(self.name_of(member), "must be a list of texts")
        return items

    def object(self, member: str) -> "Members":
        """An object, to be read further; absent is an empty one."""
        is_given = member in self._value
        return Members(self._take(member) if is_given else {}, self.name_of(member), is_given=is_given)

    def optional_object(self, member: str) -> dict[str, Any] | None:
        return self._typed(member, dict) if member in self._value else None

    def objects(self, member: str) -> list["Members"]:
        items = self._typed(member, list)
        return [Members(item, f"{self.name_of(member)}[{index}]") for index, item in enumerate(items)]

    def _take(self, member: str) -> Any:
        self._known.add(member)
        return self._value.get(member)

    def _typed(self, member: str, kind: type[T]) -> T:
        value = self._take(member)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Refused(self.name_of(member), f"must be {kind.__name__}, it is {value!r}")
        return value
