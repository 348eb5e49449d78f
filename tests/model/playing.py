"""Plays sequences of a seed: the same seed and code play the same ones."""

from math import ceil

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.model.machine import PaymentMachine
from tests.model.system_under_test import SystemUnderTest

SEED = 20261121
SEQUENCES = 100
STEPS = 25
# From the next one on hypothesis would mostly play what it has played already, a little changed.
TOGETHER = 10


def play(
    system: SystemUnderTest,
    chosen_seed: int,
    *,
    sequences: int = SEQUENCES,
    steps: int = STEPS,
    is_shrunk: bool = True,
) -> None:
    """Play so many sequences; the first that fails is shown, and made as short as it can be before.

    Raises:
        AssertionError: something was not true.
    """
    print(f"seed {chosen_seed}: {sequences} sequences of {steps} operations")

    class Seeded(PaymentMachine):
        """The machine with its town."""

        def __init__(self) -> None:
            super().__init__(system)

    chosen = settings(
        max_examples=TOGETHER,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if is_shrunk else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for number in range(ceil(sequences / TOGETHER)):
        factory: type[RuleBasedStateMachine] = seed(1000 * chosen_seed + number)(Seeded)
        run_state_machine_as_test(factory, settings=chosen)
