"""verify-ledger and verify-events: silent while all is well, and every tampered row is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from payment_service.app import create_app
from payment_service.audit.bank import verify_bank
from payment_service.audit.findings import Findings
from payment_service.cli import main
from payment_service.clients.bank_books import BankBooks, BankMovement, BankTotals
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.commands.upkeep.take_snapshots import SnapshotJob
from payment_service.domain.books.postings import post_dispute_lost, post_dispute_opened, post_refund_asked
from payment_service.domain.positions import EVENTS
from payment_service.models.dispute import Dispute
from payment_service.models.ledger import BalanceSnapshot, LedgerEntry
from payment_service.models.merchant import Merchant
from payment_service.models.movement import Capture, PaymentAttempt, Refund
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.models.position import EventPosition
from payment_service.values.statuses import AttemptKind, DisputeStatus, MovementState
from service_kit.clock import utc_now
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tests.testkit.payments.scripted.sales import decline, lose_request
from tests.testkit.payments.world import World

Run = Callable[..., Result]


@pytest.fixture
def run(world: World) -> Run:
    """Type a command on the world's database; nobody answers for the bank."""

    def invoke(*words: str, **changes: str) -> Result:
        settings = {
            "DATABASE_URL": world.config.database_url,
            "LOG_LEVEL": "CRITICAL",
            "BANK_URL": "http://127.0.0.1:1",
            **changes,
        }
        return CliRunner().invoke(main, words, env=settings)

    return invoke


@pytest.fixture
def payment_id(world: World) -> int:
    """A declined payment that was paid then, and snapshots of its books."""
    payment_id = world.create(3999.98)
    world.bank.script = [decline("do_not_honor")]
    for _ in range(2):
        world.pay(payment_id)
    with world.app.app_context():
        SnapshotJob(margin_s=0).take()
    return payment_id


def ledger(run: Run) -> list[str]:
    """Return the differences, after the last of which stands their number."""
    result = run("verify-ledger", "--without-bank")
    differences = [
        line for line in result.stderr.splitlines() if "difference(s)" not in line and line.strip()
    ]
    differences = [line for line in differences if not line.startswith(("payments", "entries"))]
    assert result.exit_code == (1 if differences else 0), result.output
    return differences


def events(run: Run) -> list[str]:
    result = run("verify-events")
    lines = [line for line in result.stderr.splitlines() if line.startswith(("payment pay_", "event evt_"))]
    assert result.exit_code == (1 if lines else 0), result.output
    return lines


def test_untouched_books_add_up(run: Run, payment_id: int) -> None:
    result = run("verify-ledger", "--without-bank")

    assert (result.exit_code, result.stdout) == (0, "The books add up.\n")


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (
            update(LedgerEntry).where(LedgerEntry.amount_minor > 0).values(amount_minor=1),
            "on provider_receivable (bank-simulator): 1 MAD, not 399998 MAD",
        ),
        (delete(LedgerEntry).where(LedgerEntry.amount_minor < 0), "no entry, not -399998 MAD"),
        (delete(LedgerEntry), "merchant_payable (bank-simulator): no entry"),
        (
            update(LedgerEntry).values(currency="EUR"),
            "merchant_payable (bank-simulator): -399998 EUR, not no entry",
        ),
        (
            update(Payment).where(Payment.captured_minor > 0).values(captured_minor=5),
            "captured_minor is 5, its movements add up to 399998",
        ),
        (update(Payment).values(refunding_minor=7), "refunding_minor is 7, its movements add up to 0"),
        (update(Payment).values(disputed_minor=7), "disputed_minor is 7, its movements add up to 0"),
        (update(Payment).values(authorized_minor=1), "more is captured than was authorised"),
        (update(Capture).values(state="declined"), "captured_minor is 399998, its movements add up to 0"),
        (update(Capture).values(amount_minor=9), "399998 MAD, not 9 MAD"),
        (
            update(Payment).where(Payment.id == 1).values(status="completed"),
            "it is completed, but nothing was captured",
        ),
        (
            update(BalanceSnapshot).where(BalanceSnapshot.amount_minor > 0).values(amount_minor=3),
            "merchant mer_lab, provider_receivable (bank-simulator, MAD): the snapshot says 3",
        ),
        (
            delete(BalanceSnapshot).where(BalanceSnapshot.amount_minor > 0),
            "the snapshot says 0, its entries",
        ),
    ],
)
def test_whoever_changes_the_books_is_found_out(
    world: World, run: Run, payment_id: int, tamper: Any, named: str
) -> None:
    world.change(lambda session: session.execute(tamper))

    differences = ledger(run)

    assert any(named in difference for difference in differences), differences


def test_what_is_open_is_listed_apart(world: World, run: Run, payment_id: int) -> None:
    other = world.create(10)
    world.bank.script = [lose_request]
    assert world.pay(other).status_code == 202
    paid, attempt = world.payment(payment_id), world.attempts(payment_id)[-1]
    refund = _refund(paid, attempt, MovementState.UNKNOWN)

    def ask_refund(session: Session) -> None:
        session.add(refund)
        session.get_one(Payment, paid.id).refunding_minor = 100
        post_refund_asked(session, paid, refund, utc_now())

    world.change(ask_refund)

    result = run("verify-ledger", "--without-bank")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("in flight: 2\n")
    assert "refund unknown: re_1, 100 MAD" in result.stdout
    assert f"sale unknown: {world.attempt(other).public_id}, 1000 MAD" in result.stdout


def test_a_lost_dispute_is_compared_with_its_postings(world: World, run: Run, payment_id: int) -> None:
    paid = world.payment(payment_id)
    dispute = Dispute(
        public_id="dp_1",
        merchant_id=paid.merchant_id,
        payment_id=paid.id,
        payment_public_id=paid.public_id,
        movement=world.attempts(payment_id)[-1].public_id,
        provider="bank-simulator",
        provider_dispute_id="dis_1",
        status=DisputeStatus.LOST,
        amount_minor=700,
        currency="MAD",
        created_at=utc_now(),
    )

    def lose(session: Session) -> None:
        session.add(dispute)
        session.get_one(Payment, paid.id).charged_back_minor = 700
        post_dispute_opened(session, paid, dispute, utc_now())
        post_dispute_lost(session, paid, dispute, utc_now())

    world.change(lose)
    assert ledger(run) == []

    world.change(
        lambda session: session.execute(delete(LedgerEntry).where(LedgerEntry.kind == "dispute_lost"))
    )

    found = ledger(run)
    assert [line.partition(": ")[2] for line in found] == [
        "dispute_lost of dp_1 on disputes (bank-simulator): no entry, not 700 MAD",
        "dispute_lost of dp_1 on provider_receivable (bank-simulator): no entry, not -700 MAD",
    ]


def test_the_bank_must_be_there_unless_it_is_left_out(run: Run, payment_id: int) -> None:
    result = run("verify-ledger")

    assert result.exit_code == 1
    assert "The bank's books cannot be read" in result.stderr


def test_untouched_events_are_as_they_were_written(run: Run, payment_id: int) -> None:
    result = run("verify-events")

    assert (result.exit_code, result.stdout) == (0, "Every event is as it was written.\n")


def test_events_of_an_older_key_are_checked_too(world: World, run: Run, payment_id: int) -> None:
    new = {"EVENT_KEY": "new", "EVENT_KEY_ID": "2"}

    without = run("verify-events", **new)
    with_it = run("verify-events", **new, EVENT_OLD_KEYS="0:older, 1:lab-event-key")
    wrong = run("verify-events", **new, EVENT_OLD_KEYS="1:another")

    assert (without.exit_code, with_it.exit_code, wrong.exit_code) == (1, 0, 1)
    assert "no key 1 is known" in without.stderr
    assert "its seal does not fit" in wrong.stderr


def test_a_chain_goes_on_under_a_new_key(world: World, run: Run) -> None:
    payment_id = world.create()
    config = replace(world.config, event_key=b"new", event_key_id="2")
    app = create_app(config, provider=world.bank, fraud=world.fraud, waker=world.waker)

    World(app, config, world.bank, world.fraud, world.waker).pay(payment_id)

    assert {event.key_id for event in world.all(PaymentEvent, payment_id=payment_id)} == {"1", "2"}
    told = run("verify-events", EVENT_KEY="new", EVENT_KEY_ID="2", EVENT_OLD_KEYS="1:lab-event-key")
    assert told.exit_code == 0


@pytest.mark.parametrize("old", ["1:lab-event-key", "2", ":x", "2:", "2:a,2:b"])
def test_old_keys_that_cannot_be_are_refused(run: Run, old: str) -> None:
    refused = run("verify-events", EVENT_OLD_KEYS=old)

    assert refused.exit_code == 1
    assert "EVENT_OLD_KEYS" in refused.stderr


def _event(payment_id: int, sequence: int) -> Any:
    return (PaymentEvent.payment_id == payment_id) & (PaymentEvent.sequence == sequence)


def test_an_edited_event_is_named(world: World, run: Run, payment_id: int) -> None:
    event = world.all(PaymentEvent, payment_id=payment_id, sequence=2)[0]
    body = event.body.replace("payment.processing", "payment.cancelled")
    world.change(
        lambda session: session.execute(update(PaymentEvent).where(_event(payment_id, 2)).values(body=body))
    )

    found = events(run)

    assert len(found) == 2
    assert f"event 2 ({event.public_id}): its seal does not fit" in found[0]
    assert "its row does not say what its body says" in found[1]


def test_an_event_that_whoever_follows_never_sees_is_named(world: World, run: Run, payment_id: int) -> None:
    first, *_ = world.all(PaymentEvent, payment_id=payment_id)
    with world.app.app_context():
        give_positions(EVENTS, world.dependencies)
    unplace = delete(EventPosition).where(EventPosition.row_id == first.id)
    world.change(lambda session: session.execute(unplace))
    young = events(run)

    world.clock.advance(601)

    assert young == []
    (found,) = events(run)
    assert f"event {first.public_id} has no position" in found


def test_a_deleted_event_is_named(world: World, run: Run, payment_id: int) -> None:
    world.change(lambda session: session.execute(delete(PaymentEvent).where(_event(payment_id, 2))))

    (found,) = events(run)

    assert found.endswith("event 2 is missing")
    assert found.startswith(f"payment {world.payment(payment_id).public_id}")


def test_a_deleted_event_is_named_although_the_rest_was_numbered_again(
    world: World, run: Run, payment_id: int
) -> None:
    def work(session: Session) -> None:
        session.execute(delete(PaymentEvent).where(_event(payment_id, 2)))
        for sequence in (3, 4, 5):
            session.execute(
                update(PaymentEvent).where(_event(payment_id, sequence)).values(sequence=sequence - 1)
            )
        session.get_one(Payment, payment_id).event_count = 4

    world.change(work)

    found = events(run)

    assert "event 2 " in found[0]
    assert "its seal does not fit" in found[0]


@pytest.mark.parametrize("count", [5, 3])
def test_a_truncated_chain_is_named(world: World, run: Run, payment_id: int, count: int) -> None:
    def work(session: Session) -> None:
        session.execute(delete(PaymentEvent).where(_event(payment_id, 4) | _event(payment_id, 5)))
        session.get_one(Payment, payment_id).event_count = count

    world.change(work)

    (found,) = events(run)

    if count == 5:
        assert found.endswith("it ends with event 3, but 5 were written: the rest is missing")
    else:
        assert found.endswith("its last event is not the one with which its head was sealed")


def test_all_events_of_a_payment_gone_is_named(world: World, run: Run, payment_id: int) -> None:
    world.change(
        lambda session: session.execute(delete(PaymentEvent).where(PaymentEvent.payment_id == payment_id))
    )

    (found,) = events(run)

    assert "ends with event 0, but 5 were written" in found


def test_events_in_another_order_are_named(world: World, run: Run, payment_id: int) -> None:
    def work(session: Session) -> None:
        for sequence, other in ((2, 99), (4, 2), (99, 4)):
            session.execute(update(PaymentEvent).where(_event(payment_id, sequence)).values(sequence=other))

    world.change(work)

    found = events(run)

    assert {2, 4} <= {int(line.split("event ")[1].split(" ")[0]) for line in found}


def test_a_key_that_is_not_known_is_named(world: World, run: Run, payment_id: int) -> None:
    world.change(
        lambda session: session.execute(update(PaymentEvent).where(_event(payment_id, 2)).values(key_id="7"))
    )

    (found,) = events(run)

    assert "no key 7 is known" in found


class ScriptedBooks(BankBooks):
    """The bank's books, as a test wants them."""

    def __init__(self, *movements: BankMovement, totals: BankTotals) -> None:
        self.movements = list(movements)
        self.said = totals

    def totals(self, merchant_id: str) -> dict[str, BankTotals]:
        return {"MAD": self.said}

    def approved(self, merchant_id: str) -> Any:
        # Two pages, whatever is in them.
        yield self.movements[:1]
        yield self.movements[1:]


def compare(world: World, *movements: BankMovement, totals: BankTotals) -> list[str]:
    findings = Findings()
    with world.app.app_context():
        merchant = world.all(Merchant, public_id="mer_lab")[0]
        bank = ScriptedBooks(*movements, totals=totals)
        verify_bank(findings, merchant, bank, "bank-simulator", utc_now(), lambda _count: None)
    assert findings.notes == []
    return findings.differences


@pytest.fixture
def sale(world: World, payment_id: int) -> BankMovement:
    return BankMovement(world.attempts(payment_id)[-1].public_id, "sale", 399998, "MAD")


def test_a_bank_that_agrees_is_no_difference(world: World, sale: BankMovement) -> None:
    assert compare(world, sale, totals=BankTotals(399998, 0, 0)) == []


def test_what_the_bank_does_not_know_is_named(world: World, sale: BankMovement) -> None:
    found = compare(world, totals=BankTotals(0, 0, 0))

    assert (
        f"we hold paymentattempt {sale.request_id} of 399998 MAD for approved, the bank does not" in found[0]
    )
    assert "by our books the bank took 399998 and kept it, by its own 0" in found[1]


def test_what_we_do_not_know_is_named(world: World, sale: BankMovement) -> None:
    stranger = BankMovement("att_stranger", "sale", 500, "MAD")

    found = compare(world, sale, stranger, totals=BankTotals(400498, 0, 0))

    assert [line for line in found if "approved sale att_stranger, which we do not know" in line]


def test_what_we_hold_for_declined_is_named(world: World, sale: BankMovement, payment_id: int) -> None:
    declined = BankMovement(world.attempts(payment_id)[0].public_id, "sale", 399998, "MAD")

    found = compare(world, sale, declined, totals=BankTotals(2 * 399998, 0, 0))

    assert [line for line in found if f"{declined.request_id}, which we hold for declined" in line]


def test_another_amount_is_named(world: World, sale: BankMovement) -> None:
    other = BankMovement(sale.request_id, "sale", 399997, "MAD")

    found = compare(world, other, totals=BankTotals(399997, 0, 0))

    assert [line for line in found if "of 399997 MAD, which we hold for 399998 MAD" in line]


def test_totals_that_are_not_the_sum_of_the_requests_are_named(world: World, sale: BankMovement) -> None:
    found = compare(world, sale, totals=BankTotals(1, 0, 0))

    assert "the bank's totals (taken, refunded, voided) are (1, 0, 0)" in found[0]


@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize("way", ["void", "refund"])
@pytest.mark.parametrize("state", [MovementState.APPROVED, MovementState.NOT_SENT])
def test_a_late_approval_is_no_difference_before_nor_after_it_went_back(
    world: World,
    run: Run,
    sale: BankMovement,
    payment_id: int,
    is_back: bool,
    way: str,
    state: MovementState,
) -> None:
    late, back = _late_approval(world, payment_id, state, is_back=is_back)
    movements = [sale, BankMovement(late, "sale", 399998, "MAD")]
    if is_back and way == "void":
        movements.append(BankMovement(back, "void", None, None))
    elif is_back:
        movements.append(BankMovement(f"{back}_refund", "refund", 399998, "MAD"))
    gone_minor = 399998 if is_back else 0
    totals = BankTotals(2 * 399998, gone_minor if way == "refund" else 0, gone_minor if way == "void" else 0)

    assert compare(world, *movements, totals=totals) == []
    listed = run("verify-ledger", "--without-bank").stdout
    assert (f"late approval {late} is not given back yet" in listed) is not is_back


def test_an_open_refund_that_the_bank_carried_out_is_no_difference(
    world: World, sale: BankMovement, payment_id: int
) -> None:
    paid, attempt = world.payment(payment_id), world.attempts(payment_id)[-1]
    refund = _refund(paid, attempt, MovementState.UNKNOWN)

    def work(session: Session) -> None:
        session.add(refund)
        post_refund_asked(session, paid, refund, utc_now())

    world.change(work)
    carried_out = BankMovement("re_1", "refund", 100, "MAD")

    assert compare(world, sale, carried_out, totals=BankTotals(399998, 100, 0)) == []


def _refund(payment: Payment, attempt: PaymentAttempt, state: MovementState) -> Refund:
    return Refund(
        public_id="re_1",
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        attempt_id=attempt.id,
        state=state,
        provider="bank-simulator",
        amount_minor=100,
        currency="MAD",
        started_at=utc_now(),
        send_before=utc_now(),
    )


def _late_approval(world: World, payment_id: int, state: MovementState, *, is_back: bool) -> tuple[str, str]:
    """Let the declined attempt have been approved after all, and its return be under way or done."""
    late = world.attempts(payment_id)[0]
    back = f"{late.public_id}_reversal"

    def work(session: Session) -> None:
        session.get_one(PaymentAttempt, late.id).state = state
        session.add(
            PaymentAttempt(
                public_id=back,
                merchant_id=late.merchant_id,
                payment_id=payment_id,
                kind=AttemptKind.REVERSAL,
                state=MovementState.APPROVED if is_back else MovementState.SENDING,
                claimed_from="completed",
                provider=late.provider,
                amount_minor=late.amount_minor,
                currency=late.currency,
                reversal_of=late.public_id,
                started_at=utc_now(),
                send_before=utc_now(),
                ended_at=utc_now() if is_back else None,
            )
        )

    world.change(work)
    return late.public_id, back
