"""The state machine: every operation, a look at everything after each, and peace at the end."""

from hypothesis.stateful import invariant

from tests.model.checks import differences_at_the_end
from tests.model.faults_operations import Faults
from tests.model.worlds_operations import DAY, HOUR

# The janitor asks later and later; each turn is far enough from the one before.
ROUNDS = 6
ROUND_S = 2 * HOUR
# How many lots an operation has in the draw, where that is not one: those for which a sequence seldom has a
# place come up when it has.
LOTS = {
    "bank_decides": 8,
    "capture": 5,
    "cardholder_answers": 8,
    "cardholder_disputes": 2,
    "commit_is_lost": 2,
    "confirm": 3,
    "create_and_pay": 2,
    "dispute_ends": 8,
    "others_come_between": 3,
    "process_on_the_lab_surface": 6,
    "refund": 3,
    "request_comes_again": 2,
    "review": 9,
    "webhooks_arrive": 3,
    "worker_settles_the_inbox": 7,
}


class PaymentMachine(Faults):
    """One sequence of operations."""

    @invariant()
    def all_is_true(self) -> None:
        """Compare the service, the bank and the model."""
        if self.system.wire.found_meanwhile:
            raise self.system.wire.found_meanwhile[0]
        if self.has_news:
            self.look()
        self.may_expire = False

    def teardown(self) -> None:
        """Let everything come to its end, and compare once more."""
        self.calm()
        for _ in range(ROUNDS):
            self.operators_replay()
            commits = self.system.commits
            self.workers_do_a_round()
            if self.system.commits == commits:
                break
        self.look()
        # What waits for a person, or for a card, waits no longer; holds last a week.
        self.system.pass_time(DAY + HOUR)
        self.expiry_works()
        self.system.work_outbox()
        self.has_refunds = self.has_disputes = True
        self.look()
        wrong = list(differences_at_the_end(self.system))
        assert not wrong, "\n".join(wrong)

    def operators_replay(self) -> None:
        """Let operators put back what the workers gave up."""
        self.system.replay_inbox()
        self.system.replay_outbox()

    def workers_do_a_round(self) -> None:
        """Let the bank tell everything, and the workers do all that is due."""
        for event in self.system.bank_events():
            assert self.system.deliver(event) == 202
        self.system.work_inbox()
        self.system.work_outbox()
        self.system.pass_time(ROUND_S)
        self.system.work_janitor()


for _name, _lots in LOTS.items():
    for _number in range(1, _lots):
        setattr(PaymentMachine, f"{_name}_{_number}", getattr(PaymentMachine, _name))
