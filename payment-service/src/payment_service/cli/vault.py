"""``payment-service vault``: the keys under which card numbers are sealed."""

import click

from payment_service.cli.console import application
from payment_service.commands.upkeep.rotate_vault_keys import RotateVaultKeys, rotate_vault_keys
from payment_service.queries.vault import count_sealed_cards
from payment_service.vault.envelopes import EnvelopeKeys


@click.group()
def vault() -> None:
    """Look after the keys under which card numbers are sealed."""


@vault.command()
def status() -> None:
    """Say how many cards are under which key of VAULT_KEYS, and which key seals new ones."""
    with application() as dependencies:
        _show(dependencies.vault.keys)


@vault.command("rotate-keys")
@click.option("--batch-size", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--pause-ms", default=10, show_default=True, type=click.IntRange(0), help="Between two batches."
)
def rotate_keys(batch_size: int, pause_ms: int) -> None:
    """Bring all cards under the first key of VAULT_KEYS, while payments go on.

    It may be stopped or killed at any moment: run again, it goes on where it was.
    """
    with application() as dependencies:
        keys = dependencies.vault.keys
        counts = count_sealed_cards()
        todo = sum(count for key_id, count in counts.items() if key_id in keys.ids[1:])
        with click.progressbar(length=todo, label=f"Cards under {keys.sealing_id}") as bar:
            unreadable = rotate_vault_keys(
                RotateVaultKeys(batch_size, pause_ms / 1000), dependencies, bar.update
            )
        _show(keys)
    if unreadable:
        raise click.ClickException(
            f"{len(unreadable)} card(s) cannot be decrypted and stay as they are, such as of "
            + ", ".join(unreadable[:10])
        )


def _show(keys: EnvelopeKeys) -> None:
    counts = count_sealed_cards()
    for key_id in [*keys.ids, *sorted(set(counts) - set(keys.ids))]:
        role = "opens" if key_id in keys.ids else "IS NOT IN VAULT_KEYS"
        role = "seals" if key_id == keys.sealing_id else role
        click.echo(f"{key_id}  {role}  {counts.get(key_id, 0)} cards")
