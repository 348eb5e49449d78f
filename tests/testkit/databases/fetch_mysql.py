"""Unpack real MySQL from Debian's unstable suite into a private folder; nothing is installed.

No Debian release carries MySQL, but unstable does. The mirror and its keys come from the machine's own apt
sources; apt works with state, cache and source list of its own, and checks signatures as always.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tests.testkit.databases.engines import (
    as_current_user,
    mysql_root,
    mysql_template,
    mysqld_command,
    server_environment,
)

PACKAGE = "mysql-server-core"
SUITE = "unstable"
_ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)"
)


@dataclass(frozen=True)
class Archive:
    """A package archive that the machine trusts; `signed_by` as apt writes it, empty for its general keys."""

    uris: str
    signed_by: str

    def source(self, suite: str) -> str:
        """Another suite of this archive as an apt source in deb822 format."""
        signed_by = f"Signed-By: {self.signed_by}\n" if self.signed_by else ""
        return f"Types: deb\nURIs: {self.uris}\nSuites: {suite}\nComponents: main\n{signed_by}"


def archives(etc_apt: Path) -> list[Archive]:
    """Archives with a main component in the machine's sources, in both formats (sources.list(5)).

    Suites with a hyphen (security, updates, backports) belong to a main suite or are another project's.
    """
    found: list[Archive] = []
    parts = etc_apt / "sources.list.d"
    for path in (etc_apt / "sources.list", *sorted(parts.glob("*.list"))):
        if path.is_file():
            found += _from_lines(path.read_text())
    for path in sorted(parts.glob("*.sources")):
        found += _from_stanzas(path.read_text())
    return list(dict.fromkeys(found))


def _from_lines(text: str) -> Iterator[Archive]:
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if match and _is_main([match["suite"]], match["components"].split()):
            options = dict(option.partition("=")[::2] for option in (match["options"] or "").split())
            yield Archive(match["uri"], options.get("signed-by", ""))


def _from_stanzas(text: str) -> Iterator[Archive]:
    uncommented = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", uncommented):
        unfolded = re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, flags=re.MULTILINE)
        fields = {name.lower(): value.strip() for name, value in unfolded}
        disabled = fields.get("enabled", "yes").lower() in {"no", "false", "0"}
        if disabled or "deb" not in fields.get("types", "").split() or "uris" not in fields:
            continue
        if _is_main(fields.get("suites", "").split(), fields.get("components", "").split()):
            yield Archive(fields["uris"], fields.get("signed-by", ""))


def _is_main(suites: list[str], components: list[str]) -> bool:
    return "main" in components and any("-" not in suite and "/" not in suite for suite in suites)


def download(archive: Archive, folder: Path) -> list[Path]:
    """Download MySQL and all it needs, from the C library up; raises CalledProcessError."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()  # nothing counts as installed, so the C library comes too
    sources = folder / "unstable.sources"
    sources.write_text(archive.source(SUITE))
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": os.devnull,
        "Dir::Etc::Preferences": os.devnull,
        "Dir::Etc::PreferencesParts": os.devnull,
        "APT::Sandbox::User": "root",  # its own user cannot read our folder
        "APT::Install-Recommends": "false",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    apt = ["apt-get", "-q", "-y", *(f"-o{name}={value}" for name, value in options.items())]
    _call([*apt, "update"])
    _call([*apt, "install", "--download-only", PACKAGE])
    return sorted((folder / "cache/archives").glob("*.deb"))


def initialise(root: Path) -> None:
    """Make the data directory from which every server takes a copy (three seconds, once)."""
    template = mysql_template(root)
    _call(
        [
            *mysqld_command(root),
            "--no-defaults",
            *as_current_user(),
            "--initialize-insecure",
            f"--datadir={template}",
            "--innodb-redo-log-capacity=64M",
            "--secure-file-priv=NULL",
            "--auto-generate-certs=OFF",
        ],
        env=server_environment(),
    )


def fetch(into: Path, etc_apt: Path = Path("/etc/apt")) -> None:
    """Fill `into` completely or not at all; raises ClickException when no archive here has MySQL."""
    if mysql_template(into).is_dir():
        click.echo(f"MySQL: already in {into}")
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise click.ClickException("MySQL can be fetched only where apt-get and dpkg-deb are")
    started = time.monotonic()
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}-", dir=into.parent) as temporary:
        packages = _download_from_any(archives(etc_apt), Path(temporary) / "apt")
        click.echo(f"MySQL: unpacking {len(packages)} packages")
        root = Path(temporary) / "root"
        root.mkdir()
        for package in packages:
            _call(["dpkg-deb", "--extract", str(package), str(root)])
        click.echo("MySQL: initialising a data directory")
        initialise(root)
        root.rename(into)
    version = _call([*mysqld_command(into), "--no-defaults", "--version"], env=server_environment())
    click.echo(
        f"MySQL: {version.partition(' Ver ')[2].strip()} is in {into} ({time.monotonic() - started:.0f} s)"
    )


def _download_from_any(candidates: list[Archive], folder: Path) -> list[Path]:
    problems = ["no archive with a main component in this machine's apt sources"]
    for archive in candidates:
        click.echo(f"MySQL: downloading {PACKAGE} of {SUITE}")
        try:
            return download(archive, folder)
        except subprocess.CalledProcessError as error:
            problems.append(error.stderr.strip())
    raise click.ClickException("\n".join(["MySQL could not be fetched:", *problems[-len(candidates) :]]))


def _call(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout


@click.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to fill. Default: MYSQL_ROOT, or .cache/mysql in the checkout.",
)
def main(into: Path | None) -> None:
    """Unpack real MySQL into a private folder; does nothing when it is already there."""
    try:
        fetch((into or mysql_root()).resolve())
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{error}\n{error.stdout}{error.stderr}") from error


if __name__ == "__main__":
    main()
