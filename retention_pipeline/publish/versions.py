"""The published versions on disk, and the one link that says which of them is current.

    serving.duckdb -> serving/current/serving.duckdb
    parquet        -> serving/current/parquet
    serving/
      current      -> 000007-2026-01-31-3f0c9a61b2de
      000007-2026-01-31-3f0c9a61b2de/serving.duckdb, parts.json, parquet/<table>.parquet or <table>/<month>.parquet

The database and the Parquet files change hands in one rename of one link, so nobody ever sees them apart. A version's
folder gets its name by a rename after everything in it is on disk: one that has a name is complete.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from retention_pipeline.settings import StatePaths

KEPT_VERSIONS = 3
CURRENT = "current"
DATABASE_FILE = "serving.duckdb"
PARQUET_FOLDER = "parquet"

_VERSION = re.compile(r"(?P<number>\d{6,})-(?P<day>\d{4}-\d{2}-\d{2})-(?P<digest>[0-9a-f]{12})")
_BUILD = ".build"
_LINK = ".link"
_RETIRED = ".retired"


@dataclass(frozen=True, order=True)
class Version:
    """A published version.

    Attributes:
        number: Counts publications, so that the newest is known without a clock.
        as_of: The day that it shows.
        digest: The first 12 digits of the hash of its content.
    """

    number: int
    as_of: date
    digest: str

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.number:06d}-{self.as_of.isoformat()}-{self.digest}"


def published_day(paths: StatePaths) -> date | None:
    """The day that people see now; None while nothing is published."""
    current = current_version(paths)
    return current.as_of if current else None


def should_publish(paths: StatePaths, as_of: date) -> bool:
    """Whether `as_of` may replace what is published: the newest day wins, the same day may be published again."""
    day = published_day(paths)
    return day is None or as_of >= day


def current_version(paths: StatePaths) -> Version | None:
    """The version that the link points at; None while there is none."""
    link = paths.serving_versions / CURRENT
    try:
        version = _parsed(link.readlink().name)
    except OSError:
        return None
    return version if version and (paths.serving_versions / version.name / DATABASE_FILE).is_file() else None


def versions(paths: StatePaths) -> list[Version]:
    """Every complete version on disk, oldest first."""
    if not paths.serving_versions.is_dir():
        return []
    found = (_parsed(entry.name) for entry in paths.serving_versions.iterdir() if entry.is_dir())
    return sorted(version for version in found if version)


def start_build(paths: StatePaths) -> Path:
    """An empty folder to build the next version in; what a killed run left of its own is removed."""
    clear_leftovers(paths)
    build = paths.serving_versions / _BUILD
    (build / PARQUET_FOLDER).mkdir(parents=True)
    return build


def clear_leftovers(paths: StatePaths) -> None:
    """Remove unfinished builds, half-removed versions and temporary links."""
    for folder in (_BUILD, _RETIRED):
        shutil.rmtree(paths.serving_versions / folder, ignore_errors=True)
    for link in (paths.serving_versions / _LINK, *_outer_links(paths)):
        link.unlink(missing_ok=True)


def commit(paths: StatePaths, build: Path, as_of: date, digest: str) -> Version:
    """Make the finished `build` the current version."""
    existing = versions(paths)
    version = Version(existing[-1].number + 1 if existing else 1, as_of, digest[:12])
    _make_durable(build)
    build.rename(paths.serving_versions / version.name)
    _sync_folder(paths.serving_versions)
    _point(paths.serving_versions / CURRENT, version.name, paths.serving_versions / _LINK)
    link_current(paths)
    return version


def link_current(paths: StatePaths) -> None:
    """Make the two names that people use, where they are missing: a first run may have been killed before it did."""
    inside = f"{paths.serving_versions.name}/{CURRENT}"
    wanted = ((paths.serving, DATABASE_FILE), (paths.parquet, PARQUET_FOLDER))
    for (name, target), temporary in zip(wanted, _outer_links(paths), strict=True):
        if not (name.is_symlink() and str(name.readlink()) == f"{inside}/{target}"):
            _point(name, f"{inside}/{target}", temporary)


def remove_old(paths: StatePaths, keep: int = KEPT_VERSIONS) -> None:
    """Remove all but the newest versions; who has one of them open goes on reading it."""
    current = current_version(paths)
    for version in versions(paths)[:-keep]:
        if version != current:
            # Renamed first: a folder that bears the name of a version is never incomplete.
            retired = paths.serving_versions / _RETIRED
            (paths.serving_versions / version.name).rename(retired)
            shutil.rmtree(retired)


def _parsed(name: str) -> Version | None:
    match = _VERSION.fullmatch(name)
    if not match:
        return None
    with suppress(ValueError):
        return Version(int(match["number"]), date.fromisoformat(match["day"]), match["digest"])
    return None


def _outer_links(paths: StatePaths) -> tuple[Path, Path]:
    return paths.root / ".serving.link", paths.root / ".parquet.link"


def _point(link: Path, target: str, temporary: Path) -> None:
    """Let `link` point at `target` from one moment to the next; relative, so that the state folder can be moved."""
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    _sync_folder(link.parent)


def _make_durable(folder: Path) -> None:
    """Write-protect every file and see it and the folders on disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
            continue
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
        path.chmod(0o444)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
