"""The proof itself is proved: defects put in on purpose are found within the sequences of one run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from payment_service.commands.follow_ups import once
from payment_service.domain.settlement import captures, follow_up_settler, refunds
from payment_service.domain.settlement.follow_up import FollowUpScene
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.refund import Refund
from payment_service.providers.port import Outcome, ProviderResult

from tests.model.playing import SEED, play
from tests.model.town import open_town

Patch = pytest.MonkeyPatch


def refunds_know_no_limit(patch: Patch) -> None:
    """A merchant may give back more than it took."""
    patch.setattr(refunds, "max", lambda _zero, left: 10 * left, raising=False)


def captures_count_twice(patch: Patch) -> None:
    """What is captured is added to the payment once more than it should be."""
    apply = captures.captured

    def twice(scene: FollowUpScene[Any]) -> None:
        scene.payment.captured_minor += scene.movement.amount_minor
        apply(scene)

    _replace_effect(patch, Capture, done=twice)


def unknown_refunds_count_as_failed(patch: Patch) -> None:
    """A refund whose answer was lost is held for not done."""
    apply = follow_up_settler._apply

    def hasty(scene: FollowUpScene[Any], result: ProviderResult) -> None:
        if isinstance(scene.movement, Refund) and result.outcome is Outcome.PENDING:
            result = replace(result, outcome=Outcome.DECLINED)
        apply(scene, result)

    patch.setattr(follow_up_settler, "_apply", hasty)


def answers_are_not_stored(patch: Patch) -> None:
    """A request that comes again finds no answer."""
    patch.setattr(once, "finish", lambda _session, _request, answer: answer)


def _replace_effect(patch: Patch, model: type[Any], **changes: Callable[..., None]) -> None:
    effects = dict(follow_up_settler._EFFECTS)
    effects[model] = replace(effects[model], **changes)
    patch.setattr(follow_up_settler, "_EFFECTS", effects)


@pytest.mark.timeout(900)
@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    "put_in",
    [
        refunds_know_no_limit,
        unknown_refunds_count_as_failed,
        pytest.param(captures_count_twice, marks=pytest.mark.deep),
        pytest.param(answers_are_not_stored, marks=pytest.mark.deep),
    ],
)
def test_a_defect_is_found(
    put_in: Callable[[Patch], None], database_url: str, tmp_path: Path, monkeypatch: Patch
) -> None:
    put_in(monkeypatch)

    with open_town(database_url, tmp_path) as town, pytest.raises(AssertionError):
        play(town, SEED, is_shrunk=False)
