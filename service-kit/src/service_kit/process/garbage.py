"""Garbage collection in a process that lives long and answers requests."""

import gc


def calm_garbage_collector() -> None:
    """Look for cycles less often: what start-up made lives for ever, and a request makes few.

    Call it once everything is imported, in the process that will do the work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
