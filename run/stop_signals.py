"""Ctrl-C, SIGTERM and a closed terminal, remembered until the loop looks."""

import signal
import time
from types import FrameType

# Ctrl-C under make may arrive twice: from the terminal and from make.
_SAME_WISH_S = 0.5


class StopSignals:
    """Once asked, a run ends in order; asked again, it ends at once."""

    def __init__(self) -> None:
        """Take the signals over from now on."""
        self.is_asked = False
        self.is_insisted = False
        self._asked_at_s = 0.0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._remember)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if not self.is_asked:
            self.is_asked, self._asked_at_s = True, now_s
        elif now_s - self._asked_at_s > _SAME_WISH_S:
            self.is_insisted = True
