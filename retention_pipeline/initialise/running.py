"""`retention init` as a whole: scan, recognise, try out, write, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from retention_pipeline.errors import RetentionError
from retention_pipeline.initialise.document import comment, render
from retention_pipeline.initialise.facts import Facts, find_facts
from retention_pipeline.initialise.families import Family
from retention_pipeline.initialise.proposals import Proposal
from retention_pipeline.initialise.rates import RoughRates, needed_rates, write_rates
from retention_pipeline.initialise.recognition import Unknown, recognise
from retention_pipeline.initialise.scanning import Export, Unreadable, scan_folder
from retention_pipeline.initialise.sniffing import Look
from retention_pipeline.initialise.trial import Outcome, trial_warehouse, try_out, with_missing_texts
from retention_pipeline.workspace.check import EXAMPLE_SALTS
from retention_pipeline.workspace.document import read_document
from retention_pipeline.workspace.loading import CONFIG_NAME

_SHORTEST_SALT = 16


@dataclass(frozen=True)
class Initialised:
    """What `retention init` found and wrote.

    Attributes:
        path: The configuration.
        outcomes: Proposed mappings, with what came of them in the trial.
        unknown: Files that nothing was found for.
        unreadable: Files that cannot be read.
        facts: What the exports say about the business.
    """

    path: Path
    outcomes: tuple[Outcome, ...]
    unknown: tuple[Unknown, ...]
    unreadable: tuple[Unreadable, ...]
    facts: Facts

    @property
    def is_ready(self) -> bool:
        """Whether there is activity to run on."""
        return self.facts.first_day is not None


def initialise(folder: Path, *, force: bool, on_progress: Callable[[str], None]) -> Initialised:
    """Write `retention.yaml` for the exports below `folder`.

    Args:
        folder: The exports; also the business.
        force: Replace a `retention.yaml` that is there.
        on_progress: Told what is looked at.

    Raises:
        RetentionError: There is no such folder, no export in it, or a `retention.yaml` already.
    """
    path = folder / CONFIG_NAME
    if not folder.is_dir():
        raise RetentionError("is no folder", where=str(folder), expected="a folder with export files")
    if path.exists() and not force:
        raise RetentionError(
            f"there is a {CONFIG_NAME} already",
            where=str(folder),
            expected="a folder without one",
            way_out="keep it, or replace it with --force",
        )
    scan = scan_folder(folder, on_progress)
    if not scan.exports and not scan.unreadable:
        raise RetentionError(
            "holds no export files", where=str(folder), expected="files of CSV, TSV, JSON lines, Parquet or xlsx"
        )
    proposals, unknown = recognise(folder, scan, on_progress)
    with trial_warehouse() as con:
        outcomes = try_out(con, folder, proposals, scan.names, on_progress)
        better = [with_missing_texts(con, outcome) for outcome in outcomes]
        if better != [outcome.proposal for outcome in outcomes]:
            outcomes = try_out(con, folder, better, scan.names, on_progress)
        facts = find_facts(con, folder, outcomes)
        facts = replace(facts, salt=_kept_salt(path) or facts.salt)
        rates = needed_rates(con, facts.feeds, facts.currency)
    if rates is not None and rates.rates:
        outcomes.append(_rough_rates(folder, rates))
    _write(path, render(facts, outcomes, unknown, scan.unreadable))
    return Initialised(path, tuple(outcomes), tuple(unknown), scan.unreadable, facts)


def _kept_salt(path: Path) -> str:
    """The salt of the configuration that is replaced: another one would give every customer another key."""
    try:
        data = read_document(path.read_text(encoding="utf-8-sig")).data
    except (OSError, UnicodeDecodeError):
        return ""
    salt = data.get("salt") if isinstance(data, dict) else None
    return salt if isinstance(salt, str) and len(salt) >= _SHORTEST_SALT and salt not in EXAMPLE_SALTS else ""


def _rough_rates(folder: Path, rates: RoughRates) -> Outcome:
    """Write the rates that the exports do not bring, and the mapping that reads them."""
    path = write_rates(folder, rates)
    look = Look("csv", header=("day", "currency", "rate_to_business"))
    family = Family((Export(path, path.name, look),), (path.name,), look)
    columns = {name: name for name in look.header}
    remarks = ["ROUGH RATES of 2024, written by `retention init`: replace them by your own before you trust any sum"]
    if rates.unknown:
        remarks.append(f"no rate is known for {', '.join(rates.unknown)}: add it")
    proposal = Proposal("fx_rates", family, {"columns": columns}, "rough exchange rates", remarks=tuple(remarks))
    return Outcome(proposal, rows_loaded=len(rates.rates))


def _write(path: Path, text: str) -> None:
    """Write the file as a whole or not at all."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def show(found: Initialised, folder: Path, console: Console) -> None:
    """Print what was recognised, what was not, and what to do next."""
    table = Table(title=None, show_edge=False, pad_edge=False)
    for name in ("files", "what", "feed"):
        table.add_column(name, overflow="fold")
    for name in ("rows", "bad"):
        table.add_column(name, justify="right")
    used = [outcome for outcome in found.outcomes if not outcome.proposal.obstacle]
    for outcome in used:
        proposal = outcome.proposal
        table.add_row(
            Text(comment(proposal.family.title)),
            Text(proposal.preset or proposal.title),
            Text(proposal.feed),
            f"{outcome.rows_loaded:,}",
            f"{outcome.rows_bad:,}" if outcome.rows_bad else "",
        )
    if used:
        console.print(table)
    for heading, lines in _left_out(found):
        console.print(Text(f"\n{heading}"), soft_wrap=True)
        for line in lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
    console.print(Text(f"\nWritten: {found.path}"), soft_wrap=True)
    if not found.is_ready:
        console.print(
            "Not ready for a run: no file was recognised as orders, subscriptions, use or events.", style="yellow"
        )
    console.print(Text(f"Next:\n  make check BUSINESS={folder}\n  make run BUSINESS={folder}"), soft_wrap=True)


def _left_out(found: Initialised) -> Iterator[tuple[str, list[str]]]:
    """What is not used, under headings."""
    refused = [outcome.proposal for outcome in found.outcomes if outcome.proposal.obstacle]
    chosen = [proposal for proposal in refused if proposal.is_choice]
    lines = [
        f"{comment(proposal.family.title)} as {proposal.preset or proposal.feed}: {comment(_first_line(proposal))}"
        for proposal in refused
        if not proposal.is_choice
    ]
    if lines:
        yield "Not used, in the file as comments:", lines
    if chosen:
        names = sorted({proposal.preset or proposal.feed for proposal in chosen})
        yield "Known too, in the file as comments for those who want them:", [", ".join(names)]
    lines = [f"{comment(table.family.title)}: {comment(table.reason)}" for table in found.unknown if not table.is_part]
    if lines:
        yield "Not recognised:", lines
    if parts := sum(table.is_part for table in found.unknown):
        yield f"{parts} more files are those in which the exports above look values up.", []
    if found.unreadable:
        yield "Not readable:", [f"{comment(file.where)}: {comment(file.reason)}" for file in found.unreadable]


def _first_line(proposal: Proposal) -> str:
    line = proposal.obstacle.splitlines()[0]
    return line.removeprefix(f"{proposal.family.exports[0].where}: ")
