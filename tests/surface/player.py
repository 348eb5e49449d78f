"""Plays requests, and writes down each with its answer."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.surface.checkout import System, wait_until
from tests.surface.placeholders import Placeholders

_PATIENCE_S = 30
# How long a body is depends on nothing that the body itself does not show.
_LEFT_OUT = {"date", "content-length"}
_STYLE = re.compile(r"(?<=<style>).*?(?=</style>)|(?<=<script>).*?(?=</script>)", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    def __getitem__(self, name: str) -> Any:
        """Return a member of the JSON body."""
        return json.loads(self.text)[name]


class Player:
    """Sends requests to a system; what one journey writes stands in one file."""

    def __init__(self, system: System, output: Path) -> None:
        self.system = system
        self.placeholders = Placeholders(system.names)
        self.count = 0
        self._output = output
        self._journey = ""
        output.mkdir(parents=True)

    def journey(self, name: str) -> None:
        """Begin another file."""
        self._journey = name

    def write(self, text: str) -> None:
        """Add a text to the journey's file."""
        with (self._output / f"{self._journey}.txt").open("a") as file:
            file.write(text)

    def send(
        self,
        title: str,
        request: str,
        body: Any = None,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        vague: tuple[str, ...] = (),
        hidden: tuple[str, ...] = (),
    ) -> Answer:
        """Send ``METHOD /path`` to the gateway, or ``METHOD service:/path`` to a service, and write it down.

        A body that is a str or bytes is sent as it is, as JSON by its Content-Type; any other as JSON.
        `vague` and `hidden` name headers of the answer and of the request of which only the presence is
        written, because their value depends on time.
        """
        method, _, target = request.partition(" ")
        sent = {"Accept-Encoding": "identity", "User-Agent": "surface", **(headers or {})}
        data: Any = form
        if body is not None:
            sent = {"Content-Type": "application/json", **sent}
            data = body if isinstance(body, str | bytes) else json.dumps(body)
        answer = self._answer(method, self._url(target), data, sent)
        self.count += 1
        sent.update(dict.fromkeys(hidden, "…"))
        self._write_down(title, f"{method} {target}", sent, data, answer, vague)
        return answer

    def post_and_forget(self, path: str, body: Any, headers: Mapping[str, str]) -> None:
        """POST, wait for the answer, and write nothing down."""
        sent = {**headers, "Content-Type": "application/json"}
        self._answer("POST", self._url(path), json.dumps(body), sent)

    def look(self, request: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request without a body, and write nothing down."""
        method, _, target = request.partition(" ")
        return self._answer(method, self._url(target), None, dict(headers or {}))

    def wait(self, request: str, holds: Any, headers: Mapping[str, str] | None = None) -> None:
        """Ask again until the answer is as wished; nothing is written down."""
        wait_until(lambda: holds(self.look(request, headers)), f"{request} to change")

    def _url(self, target: str) -> str:
        if target.startswith(("http://", "/")):
            return target if target.startswith("http") else self.system.address("gateway") + target
        service, _, path = target.partition(":")
        return self.system.address(service) + path

    @staticmethod
    def _answer(method: str, url: str, data: Any, headers: dict[str, str]) -> Answer:
        with requests.Session() as session:
            session.trust_env = False
            found = session.request(
                method, url, data=data, headers=headers, allow_redirects=False, timeout=_PATIENCE_S
            )
        found.encoding = "utf-8"
        return Answer(found.status_code, found.headers, found.text)

    def _write_down(
        self,
        title: str,
        line: str,
        sent: Mapping[str, str],
        data: Any,
        answer: Answer,
        vague: tuple[str, ...],
    ) -> None:
        shown = {name: value for name, value in sent.items() if name not in {"Accept-Encoding", "User-Agent"}}
        if shown.get("Authorization", "").startswith("Basic "):
            shown["Authorization"] = "Basic " + base64.b64decode(shown["Authorization"][6:]).decode()
        if isinstance(data, Mapping):
            data = "&".join(f"{name}={value}" for name, value in data.items())
        lines = [f"==== {self.count} {title}", line, *(f"{name}: {value}" for name, value in shown.items())]
        lines += ["", _shortened(data), ""] if data is not None else [""]
        lines += [
            f"-> {answer.status}",
            *_headers(answer.headers, vague),
            "",
            answer.text,
            *_claims(answer.text),
            "",
        ]
        self.placeholders.begin("request")
        self.write(_STYLE.sub(_digest, self.placeholders.replace("\n".join(lines))) + "\n")


def _headers(headers: Mapping[str, str], vague: tuple[str, ...]) -> list[str]:
    shown = {name.lower(): value for name, value in headers.items() if name.lower() not in _LEFT_OUT}
    if "allow" in shown:  # werkzeug keeps the methods in a set, in another order in each process
        shown["allow"] = ", ".join(sorted(shown["allow"].split(", ")))
    return [f"{name}: {'…' if name in vague else shown[name]}" for name in sorted(shown)]


def _digest(match: re.Match[str]) -> str:
    """Name what every page repeats by its hash."""
    return f"sha256 {hashlib.sha256(match[0].encode()).hexdigest()}"


def _shortened(data: str | bytes) -> str:
    text = data if isinstance(data, str) else data.decode(errors="backslashreplace")
    return text if len(text) <= 2000 else f"{text[:200]}… ({len(text)} characters)"


def _claims(text: str) -> list[str]:
    """Open an access token: its head and its claims are a contract too (RFC 9068)."""
    if '"access_token"' not in text:
        return []
    parts = [
        json.loads(base64.urlsafe_b64decode(f"{part}=="))
        for part in json.loads(text)["access_token"].split(".")[:2]
    ]
    parts[1].update(
        {name: "…" for name in ("iat", "exp", "nbf") if name in parts[1]},
        lifetime=parts[1]["exp"] - parts[1]["iat"],
    )
    return ["", *(json.dumps(part) for part in parts)]
