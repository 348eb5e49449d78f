"""The state machine: every operation, a look at everything after each, and peace at the end."""

from hypothesis.stateful import invariant

from tests.model.checks import differences_at_the_end
from tests.model.worlds_operations import DAY, HOUR, World

# The janitor asks later and later; each turn is far enough from the one before.
ROUNDS = 6
ROUND_S = 2 * HOUR


class PaymentMachine(World):
    """One sequence of operations."""

    @invariant()
    def all_is_true(self) -> None:
        """Compare the service, the bank and the model."""
        if self.orders and not self.nothing_happened:
            self.look()
        self.nothing_happened = False

    def teardown(self) -> None:
        """Let everything come to its end, and compare once more."""
        self.calm()
        for _ in range(ROUNDS):
            for event in self.town.bank_events():
                assert self.town.deliver(event) == 202
            self.town.replay_inbox()
            self.town.work_inbox()
            self.town.pass_time(ROUND_S)
            self.town.work_janitor()
        self.look()
        # What waits for a person, or for a card, waits no longer; holds last a week.
        self.town.pass_time(DAY + HOUR)
        self.expiry_works()
        self.look()
        wrong = list(differences_at_the_end(self.town))
        assert not wrong, "\n".join(wrong)
