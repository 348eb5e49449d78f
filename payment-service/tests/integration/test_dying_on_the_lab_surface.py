"""A process dies between any two writes while it pays on the lab surface: the money is taken at most once."""

from itertools import count

from payment_service.values.statuses import PaymentStatus

from tests.testkit.payments.cards import CARD
from tests.testkit.payments.consistency import assert_all_is_true
from tests.testkit.payments.process_kills import outside
from tests.testkit.payments.repeatable_request import Post
from tests.testkit.payments.world import World


def test_a_payment_whose_process_died_anywhere_is_charged_at_most_once(world: World) -> None:
    with outside(world) as processes:
        for number in count(1):
            payment_id = world.create(100)
            taken_before = world.bank.total_minor

            life = processes.send(Post(f"/payments/process/{payment_id}", dict(CARD)), die_at=number)
            world.outlast_senders()
            world.run_janitor()
            taken = world.bank.total_minor - taken_before
            is_paid = world.payment(payment_id).is_paid
            again = world.pay(payment_id)

            assert taken == (10000 if is_paid else 0), life.points
            assert (again.status_code, again.json["is_paid"]) == (200, True), life.points
            assert world.bank.total_minor - taken_before == 10000, life.points
            assert world.payment(payment_id).status == PaymentStatus.COMPLETED
            assert_all_is_true(world)
            if life.survived:
                break

    assert life.points == [
        *["before COMMIT", "after COMMIT", "before fraud.assess", "after fraud.assess"],
        *["before COMMIT", "after COMMIT", "before bank.sale", "after bank.sale"],
        *["before COMMIT", "after COMMIT"],
    ]
