"""Routing as gin does it, apart from HTTP."""

import pytest
from gateway.emulator.headers import canonical, reason_phrase
from gateway.emulator.router import (
    MalformedPath,
    Router,
    UnusableParam,
    backend_path,
    check_params,
    decode_path,
    forwarded_query,
)

ROUTER = Router(
    [
        ("GET", "/health", "health"),
        ("POST", "/a", "a"),
        ("GET", "/a/{id}", "one"),
        ("GET", "/a/list", "list"),
        ("GET", "/a/list/{page}/end", "end"),
        ("GET", "/a/{id}/{sub}/tail", "tail"),
        ("DELETE", "/a/{id}", "delete"),
    ]
)


@pytest.mark.parametrize(
    ("path", "target", "params"),
    [
        ("/a/7", "one", {"id": "7"}),
        ("/a/list", "list", {}),
        ("/a/list/2/end", "end", {"page": "2"}),
        ("/a/list/2/tail", "tail", {"id": "list", "sub": "2"}),
        ("/a/..", "one", {"id": ".."}),
        ("/a//x/tail", "tail", {"id": "", "sub": "x"}),
        ("/a/list//end", "end", {"page": ""}),
    ],
)
def test_static_segments_beat_parameters_and_dead_ends_are_left(
    path: str, target: str, params: dict[str, str]
) -> None:
    assert ROUTER.match("GET", path) == (target, params)


@pytest.mark.parametrize("path", ["/", "/a/", "//a", "/a//", "/a/7/", "/A/7", "/a/list/2", ""])
def test_other_paths_lead_nowhere(path: str) -> None:
    target, _ = ROUTER.match("GET", path)

    assert target is None


@pytest.mark.parametrize(
    ("path", "params"),
    [("/a/7/x/no", {"id": "7", "sub": "x"}), ("/a/list/2", {"id": "list", "sub": "2"}), ("/b/7", {})],
)
def test_the_parameters_of_a_way_that_ends_are_known(path: str, params: dict[str, str]) -> None:
    assert ROUTER.match("GET", path) == (None, params)


def test_allowed_methods_come_in_order_of_registration() -> None:
    assert ROUTER.allowed_methods("/a/7") == ["GET", "DELETE"]
    assert ROUTER.allowed_methods("/nowhere") == []


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a/b", "/a/b"),
        ("/a%2Fb?x=/y", "/a/b"),
        ("http://host:1/a/b?x", "/a/b"),
        ("/%25zz", "/%zz"),
    ],
)
def test_a_path_is_decoded_once(target: str, path: str) -> None:
    assert decode_path(target) == path


@pytest.mark.parametrize("target", ["/%", "/%z", "/%zz", "/a%2"])
def test_a_broken_escape_is_malformed(target: str) -> None:
    with pytest.raises(MalformedPath):
        decode_path(target)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("%20", "error: encoded url params"),
        ("a?b", "error: encoded url params"),
        ("a#b", "error: encoded url params"),
        ("%zz", 'error: invalid URL escape "%zz"'),
        ("%", 'error: invalid URL escape "%"'),
    ],
)
def test_what_is_left_encoded_is_refused_in_words(value: str, text: str) -> None:
    with pytest.raises(UnusableParam) as refused:
        check_params({"id": value})

    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("value", "path"),
    [("7", "/p/7"), ("a b", "/p/a%20b"), ("é", "/p/%C3%A9"), ("!'()*", "/p/!'()*"), ("a b!", "/p/a%20b%21")],
)
def test_parameters_are_encoded_as_go_encodes_a_path(value: str, path: str) -> None:
    assert backend_path("/p/{id}", {"id": value}) == path


@pytest.mark.parametrize(
    ("query", "forwarded"),
    [
        ("", ""),
        ("?", ""),
        ("?status=completed&limit=5", "?limit=5&status=completed"),
        ("?status=b&other=x&status=a", "?status=b&status=a"),
        ("?Limit=5", ""),
        ("?limit", "?limit="),
        ("?limit=", "?limit="),
        ("?limit=a=b", "?limit=a%3Db"),
        ("?limit=a+b%20c%26", "?limit=a+b+c%26"),
        ("?li%6Dit=%c3%a9~-_.", "?limit=%C3%A9~-_."),
        ("?limit=é%ff", "?limit=%C3%A9%FF"),
        ("?limit=1;status=2&status=3", "?status=3"),
        ("?limit=%zz&status=%4&limit=2", "?limit=2"),
        ("?limit=a?b", "?limit=a%3Fb"),
    ],
)
def test_listed_parameters_are_written_again_as_go_writes_them(query: str, forwarded: str) -> None:
    assert forwarded_query(f"/v1/payments{query}", ("limit", "status")) == forwarded


def test_without_a_list_no_parameter_passes() -> None:
    assert forwarded_query("/v1/payments?limit=5", ()) == ""


def test_a_star_lists_every_parameter() -> None:
    assert forwarded_query("/v1/payments?statuss=failed&limit=5&limit=6&a;b=1", ("*",)) == (
        "?limit=5&limit=6&statuss=failed"
    )


def test_a_control_character_cannot_be_asked_for() -> None:
    assert backend_path("/p/{id}", {"id": "a\nb"}) is None


def test_names_and_words_are_gos() -> None:
    assert canonical("ETag") == "Etag"
    assert canonical("x-request-ID") == "X-Request-Id"
    assert reason_phrase(413) == "Request Entity Too Large"
    assert reason_phrase(799) == "status code 799"
