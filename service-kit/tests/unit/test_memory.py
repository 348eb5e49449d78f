"""What is in memory stays there."""

import subprocess
import sys

import pytest

PROBE = """
import ctypes, resource, sys
sys.platform = {platform!r}
from service_kit.process.memory import keep_memory_private
keep_memory_private()
print(resource.getrlimit(resource.RLIMIT_CORE))
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else 0)
"""


@pytest.mark.parametrize("platform", sorted({sys.platform, "darwin"}))
def test_no_core_file_is_written_and_nobody_may_look_in(platform: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(platform=platform)], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["(0, 0)", "0"]
