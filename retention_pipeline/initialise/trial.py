"""Loads proposed mappings into a throw-away warehouse: only what loads is written as a live mapping."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from pydantic import ValidationError

from retention_pipeline.feeds.contracts import CONTRACTS, Type
from retention_pipeline.feeds.ledger import PROBLEMS, Entry, mapping_hash, read_entries
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.initialise.families import file_patterns
from retention_pipeline.initialise.proposals import Proposal
from retention_pipeline.initialise.values import MISSING
from retention_pipeline.quoting import identifier
from retention_pipeline.warehouse import create_layout, open_warehouse
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import FeedName, FileMapping, IdentitySettings, Kind, Retention

NO_CURRENCY = "SHP"
"""Stands in the trial for amounts whose mapping names no currency: a code that hardly any export holds."""


@dataclass(frozen=True)
class Outcome:
    """What came of a proposal.

    Attributes:
        proposal: It, or what is left of it.
        rows_loaded, rows_bad, rows_skipped: Over its files.
        rules: Broken rule with its column → rows.
        batches: The batches that hold its rows.
    """

    proposal: Proposal
    rows_loaded: int = 0
    rows_bad: int = 0
    rows_skipped: int = 0
    rules: tuple[tuple[str, int], ...] = ()
    batches: tuple[int, ...] = ()


@contextmanager
def trial_warehouse() -> Iterator[DuckDBPyConnection]:
    """An empty warehouse in a folder that goes away."""
    with (
        tempfile.TemporaryDirectory(prefix="retention-init-") as folder,
        open_warehouse(Path(folder) / "trial.duckdb") as con,
    ):
        create_layout(con)
        yield con


def try_out(
    con: DuckDBPyConnection,
    folder: Path,
    proposals: Sequence[Proposal],
    names: Sequence[str],
    on_progress: Callable[[str], None],
) -> list[Outcome]:
    """Load all proposals without an obstacle.

    Args:
        con: An empty warehouse.
        folder: The business.
        proposals: What to try.
        names: Paths of all files of the folder.
        on_progress: Told a line before each file.

    Returns:
        An outcome for each proposal, in order. Of a proposal only some of whose files can be taken two come back: one
        with these files, one with the others and the obstacle.
    """
    checked = [_validated(proposal) for proposal in proposals]
    config = _config([proposal for proposal in checked if not proposal.obstacle])
    try:
        load_feeds(con, Business(folder, config), on_progress)
    except duckdb.Error:
        checked = [_loadable(con, folder, proposal, on_progress) for proposal in checked]
    outcomes: list[Outcome] = []
    for proposal in checked:
        if proposal.obstacle:
            outcomes.append(Outcome(proposal))
        else:
            outcomes += _outcomes(con, config, proposal, names)
    return outcomes


def _validated(proposal: Proposal) -> Proposal:
    if proposal.obstacle:
        return proposal
    try:
        for mapping in proposal.mappings:
            FileMapping.model_validate(mapping)
    except ValidationError as error:
        first = error.errors()[0]
        return replace(proposal, obstacle=f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    return proposal


def _loadable(
    con: DuckDBPyConnection, folder: Path, proposal: Proposal, on_progress: Callable[[str], None]
) -> Proposal:
    """Load a proposal by itself; with an obstacle where the reader falls over it."""
    if proposal.obstacle:
        return proposal
    try:
        load_feeds(con, Business(folder, _config([proposal])), on_progress)
    except duckdb.Error as error:
        return replace(proposal, obstacle=f"cannot be loaded ({type(error).__name__})")
    return proposal


def _config(proposals: Sequence[Proposal]) -> Retention:
    feeds: dict[FeedName, list[FileMapping]] = {}
    for proposal in proposals:
        feeds.setdefault(proposal.feed, []).extend(map(FileMapping.model_validate, proposal.mappings))
    # Made without the schema's own checks: there need be no activity yet.
    return Retention.model_construct(
        business="trial",
        title="Trial",
        kind=Kind.TRANSACTIONAL,
        timezone="UTC",
        currency=NO_CURRENCY,
        salt="a-salt-that-nothing-uses",
        first_day=date(1990, 1, 1),
        feeds={feed: tuple(mappings) for feed, mappings in feeds.items()},
        identity=IdentitySettings(),
    )


def _outcomes(con: DuckDBPyConnection, config: Retention, proposal: Proposal, names: Sequence[str]) -> list[Outcome]:
    hashes = {mapping_hash(FileMapping.model_validate(mapping), config) for mapping in proposal.mappings}
    paths = {export.where for export in proposal.family.exports}
    entries = [
        entry
        for entry in read_entries(con, proposal.feed)
        if entry.mapping_hash in hashes and entry.path in paths and entry.superseded_by is None
    ]
    bad = {entry.path: entry.message or entry.status for entry in entries if entry.status in PROBLEMS}
    if not bad:
        return [_loaded(con, proposal, entries)]
    parts = []
    if len(bad) < len(paths):
        parts.append(_loaded(con, _with_files(proposal, paths - set(bad), names), entries))
    for message in dict.fromkeys(bad.values()):
        files = {path for path, text in bad.items() if text == message}
        parts.append(Outcome(replace(_with_files(proposal, files, names), obstacle=message)))
    return parts


def _with_files(proposal: Proposal, files: set[str], names: Sequence[str]) -> Proposal:
    family = proposal.family
    exports = tuple(export for export in family.exports if export.where in files)
    return replace(proposal, family=replace(family, exports=exports, patterns=file_patterns(sorted(files), names)))


def _loaded(con: DuckDBPyConnection, proposal: Proposal, entries: Sequence[Entry]) -> Outcome:
    batches = [entry.batch_id for entry in entries if entry.status not in PROBLEMS]
    rules = con.execute(
        f"SELECT rule || coalesce(' in ' || column_name, ''), count(*) FROM quarantine.{identifier(proposal.feed)} "
        "WHERE list_contains(?, _batch_id) GROUP BY ALL ORDER BY count(*) DESC, 1",
        [batches],
    ).fetchall()
    good = [entry for entry in entries if entry.status not in PROBLEMS]
    return Outcome(
        proposal,
        rows_loaded=sum(entry.rows_loaded for entry in good),
        rows_bad=sum(entry.rows_quarantined for entry in good),
        rows_skipped=sum(entry.rows_skipped for entry in good),
        rules=tuple(rules),
        batches=tuple(batches),
    )


def with_missing_texts(con: DuckDBPyConnection, outcome: Outcome) -> Proposal:
    """A guess with the texts that mean "missing" and that no sample held, but the loaded rows do."""
    proposal = outcome.proposal
    if proposal.preset is not None or proposal.obstacle or not outcome.rows_loaded:
        return proposal
    known = proposal.keys.get("missing", [""])
    texts = [
        column.name
        for column in CONTRACTS[proposal.feed].columns
        if column.type is Type.TEXT and column.name in proposal.keys["columns"]
    ]
    found: set[str] = set()
    for name in texts:
        rows = con.execute(
            f"SELECT DISTINCT {identifier(name)} FROM raw.{identifier(proposal.feed)} "
            f"WHERE list_contains(?, {identifier(name)}) AND list_contains(?, _batch_id)",
            [list(MISSING), list(outcome.batches)],
        ).fetchall()
        found |= {text for (text,) in rows}
    if found <= set(known):
        return proposal
    return replace(proposal, keys=_with_missing(proposal.keys, ["", *sorted(found | set(known) - {""})]))


def _with_missing(keys: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """The keys with these texts, before the columns."""
    first = {name: value for name, value in keys.items() if name not in ("missing", "columns", "constants")}
    last = {name: keys[name] for name in ("columns", "constants") if name in keys}
    return {**first, "missing": texts, **last}
