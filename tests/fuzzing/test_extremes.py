"""Extreme numbers and lengths in every place of every request: refused, or small wherever they come to."""

import json
import re
import resource
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import psutil
import pytest
from service_kit.ids import new_id
from service_kit.web import strict_json
from werkzeug.test import TestResponse

from tests.fuzzing.extremes import FORM, JSON_TEXTS, WORDS, Operation, operations
from tests.fuzzing.services import Service
from tests.fuzzing.test_descriptions_hold import SERVICES, MakeService

# A body has 64 KiB, a batch 1 MiB; JSON's \u escapes make three bytes of one.
LONGEST_STORED = 256 * 1024
LONGEST_ANSWER = 2 * 2**20  # a list of ten
# What a number of a few characters takes where it is written out is far more.
MEMORY = 512 * 2**20
# The lab surface takes more than it describes; a bank's event must be signed before it is read.
LENIENT = "/payments"
UNREAD = "/provider-webhooks/"
OF_OTHER_SYSTEMS = {502, 503}


@pytest.mark.parametrize("make_service", SERVICES)
def test_no_short_text_becomes_a_long_one(make_service: MakeService, tmp_path: Path) -> None:
    with make_service(tmp_path) as service, little_memory():
        client = service.app.test_client()
        document: Mapping[str, Any] = json.loads(client.get("/openapi.json").data)
        faults = [fault for each in operations(document) for fault in Asker(service, each).faults()]
    stored = longest_stored(tmp_path)

    assert faults == [], "\n".join(faults)
    assert max(stored.values()) <= LONGEST_STORED, stored


@contextmanager
def little_memory() -> Iterator[None]:
    """Let this process grow by ``MEMORY`` and no further: beyond, it has a MemoryError and answers 500."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def longest_stored(folder: Path) -> dict[str, int]:
    """Return the bytes of the longest value of each column in the databases of a folder."""
    found = {}
    for file in folder.glob("*.db"):
        with closing(sqlite3.connect(file)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for column in [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]:
                    longest = f'SELECT max(length(CAST("{column}" AS BLOB))) FROM "{table}"'  # noqa: S608
                    found[f"{table}.{column}"] = db.execute(longest).fetchone()[0] or 0
    return found


class Asker:
    """Asks one operation, once for each place and extreme value."""

    def __init__(self, service: Service, operation: Operation) -> None:
        self._client = service.app.test_client()
        self._headers = service.headers
        self._operation = operation

    def faults(self) -> Iterator[str]:
        """Say in words which answers were wrong."""
        if self._operation.body is not None:
            yield from self._faults_of_bodies(self._operation.body)
        for place in ("path", "query", "header", "form"):
            for name, schema in self._operation.parameters(place).items():
                for word in WORDS:
                    if place != "header" or is_header(word):
                        answer = self._ask(parameters={place: {name: word}})
                        yield from self._faults_of(answer, name, word, read_word(word, schema), schema)

    def _faults_of_bodies(self, schema: Mapping[str, Any]) -> Iterator[str]:
        usual = self._operation.with_text(None)
        answer = self._ask(body=usual)
        if answer.status_code in {400, 401, 403, 415} and UNREAD not in self._operation.path:
            yield f"{self._operation.name}: {usual!r}: {answer.status_code} {answer.text}"
        for place in self._operation.places():
            for text in JSON_TEXTS:
                body = self._operation.with_text(place, text)
                answer = self._ask(body=body)
                sent = strict_json.loads(body) if answer.status_code < 400 else None
                yield from self._faults_of(answer, ".".join(place), text, sent, schema)

    def _ask(
        self, body: bytes | None = None, parameters: Mapping[str, Mapping[str, str]] | None = None
    ) -> TestResponse:
        given = parameters or {}
        ids = {**dict.fromkeys(self._operation.parameters("path"), "1"), **given.get("path", {})}
        url = re.sub(r"{(\w+)}", lambda match: quote(ids[match[1]], safe=""), self._operation.path)
        sent: bytes | Mapping[str, str] | None = body
        if "form" in given:
            sent = self._operation.form_with(given["form"])
        elif body is None and self._operation.body is not None:
            sent = self._operation.with_text(None)
        return self._client.open(
            url,
            method=self._operation.method.upper(),
            data=sent,
            content_type=FORM if "form" in given else None if sent is None else "application/json",
            query_string=given.get("query"),
            headers={**self._headers, "Idempotency-Key": new_id("key"), **given.get("header", {})},
        )

    def _faults_of(
        self, answer: TestResponse, place: str, text: str, sent: Any, schema: Mapping[str, Any]
    ) -> Iterator[str]:
        where = f"{self._operation.name}: {place} = {text[:40]!r} ({len(text)}): {answer.status_code}"
        if answer.status_code >= 500 and answer.status_code not in OF_OTHER_SYSTEMS:
            yield f"{where} {answer.text[:200]}"
        if len(answer.data) > LONGEST_ANSWER:
            yield f"{where} with {len(answer.data)} bytes"
        if answer.status_code < 400 and not self._operation.path.startswith(LENIENT):
            whole = {**schema, "components": self._operation.document["components"]}
            for error in jsonschema.Draft202012Validator(whole).iter_errors(sent):
                yield f"{where} though {error.message[:200]}"


def is_header(word: str) -> bool:
    """Whether a word can be sent in a header."""
    return word.isascii() and word.isprintable()


def read_word(word: str, schema: Mapping[str, Any]) -> Any:
    """Return what a word of a path, query or header is to a program that reads it strictly."""
    is_whole = "integer" in schema.get("type", "") and re.fullmatch(r"0|-?[1-9][0-9]*", word)
    return int(word) if is_whole else word
