"""Takes from a Python, and from those it starts, what only Linux has.

It stands first on PYTHONPATH; ``HIDDEN`` names what is taken: ``proc``, ``fcntl``, ``prctl``, ``calls``.
gunicorn itself needs fcntl, as it does on every system on which it runs, and keeps it.
"""

import builtins
import ctypes
import errno
import os
import select
import signal
import sys
from typing import Any

_FOLDERS = ("/proc", "/sys", "/dev/shm")  # noqa: S108


def _hide_folders() -> None:
    # The tests may have their own files in memory: those are no Linux's, wherever they lie.
    of_tests = os.environ.get("TMPDIR")

    def check(path: Any) -> None:
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if of_tests and name.startswith(f"{of_tests}/"):
            return
        if any(name == folder or name.startswith(f"{folder}/") for folder in _FOLDERS):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)

    def on_event(event: str, words: tuple[Any, ...]) -> None:
        if event in {"open", "os.listdir", "os.scandir"}:
            check(words[0])

    def checked(look: Any) -> Any:
        def look_at(path: Any, *more: Any, **named: Any) -> Any:
            check(path)
            return look(path, *more, **named)

        return look_at

    sys.addaudithook(on_event)
    os.stat, os.lstat, os.access = checked(os.stat), checked(os.lstat), checked(os.access)


def _hide_fcntl() -> None:
    real = builtins.__import__

    def import_(name: str, globals: Any = None, *more: Any, **named: Any) -> Any:  # noqa: A002  its name
        importer = (globals or {}).get("__name__", "")
        if name == "fcntl" and not importer.startswith("gunicorn."):
            raise ImportError("No module named 'fcntl'")
        return real(name, globals, *more, **named)

    builtins.__import__ = import_


def _hide_prctl() -> None:
    class Library(ctypes.CDLL):
        def __getattr__(self, name: str) -> Any:
            if name == "prctl":
                raise AttributeError(name)
            return super().__getattr__(name)

    ctypes.CDLL = Library  # type: ignore[misc]


def _hide_calls() -> None:
    names = ("sched_getaffinity", "pidfd_open", "eventfd", "memfd_create", "splice", "sched_setaffinity")
    for module, attributes in ((os, names), (signal, ("pidfd_send_signal",)), (select, ("epoll",))):
        for name in attributes:
            if hasattr(module, name):
                delattr(module, name)


for _word in os.environ["HIDDEN"].split():
    {"proc": _hide_folders, "fcntl": _hide_fcntl, "prctl": _hide_prctl, "calls": _hide_calls}[_word]()
