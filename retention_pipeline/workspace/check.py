"""`retention check`: what is wrong with a business before it is run, or a short summary when nothing is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.deliveries import Delivery, delivered_on
from retention_pipeline.feeds.files import matching_files
from retention_pipeline.feeds.headers import check_columns, check_expressions
from retention_pipeline.feeds.mapping import MappedFile, text_rules
from retention_pipeline.feeds.opening import open_source
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.workspace.loading import CONFIG_NAME, Business, load_business
from retention_pipeline.workspace.schema import FileMapping

EXAMPLE_SALTS = ("online-retail-demonstration", "oulad-demonstration")
_WRITING_BASES = ("consent", "contract", "legitimate_interest", "legal_obligation")


@dataclass(frozen=True)
class _Files:
    """The files of one pattern, and what is wrong with the first of them."""

    feed: str
    pattern: str
    names: tuple[str, ...]
    problem: str


def render_check(folder: Path) -> tuple[bool, str]:
    """Look at `retention.yaml` and at the first file of every pattern.

    Returns:
        Whether a run can start, and the text to show.
    """
    try:
        business = load_business(folder)
    except RetentionError as error:
        return False, error.text()
    found = [_look(business, feed, mapping) for feed, mappings in business.config.feeds.items() for mapping in mappings]
    problems = [files.problem for files in found if files.problem]
    lines = [f"{business.config.title} ({business.name}): {business.config.kind.value}, {business.config.timezone}"]
    lines += [f"  {files.feed:<18}{_count_text(files)}" for files in found]
    plays = business.config.plays
    lines.append(f"  plays: {', '.join(plays) if plays else 'none'}")
    lines += [f"warning: {text}" for text in warnings(business, found)]
    if problems:
        return False, "\n".join([*lines, *problems])
    return True, "\n".join([*lines, f"{CONFIG_NAME} is in order."])


def _count_text(files: _Files) -> str:
    if not files.names:
        return f"no file yet  ({files.pattern})"
    span = files.names[0] if len(files.names) == 1 else f"{files.names[0]} ... {files.names[-1]}"
    return f"{len(files.names)} file{'s' if len(files.names) > 1 else ''}: {span}"


def _look(business: Business, feed: str, mapping: FileMapping) -> _Files:
    paths = matching_files(business.folder, mapping.files)
    names = tuple(path.relative_to(business.folder).as_posix() for path in paths)
    file = MappedFile(CONTRACTS[feed], mapping, text_rules(mapping, business.config), None, business.config.currency)
    problem = _first_file_problem(paths[0], names[0], file) if paths else ""
    return _Files(feed, mapping.files, names, problem)


def _first_file_problem(path: Path, where: str, file: MappedFile) -> str:
    """Why the first file of a pattern cannot be taken; empty where it can."""
    mapping = file.mapping
    try:
        delivered_on(Delivery(path, where, mapping, "", "", 0, 0))
        with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as con:
            source = open_source(con, path, where, mapping, Path(scratch))
            check_columns(source, mapping, file.contract)
            check_expressions(con, file, source)
    except FileRefusedError as error:
        return error.text()
    except OSError:
        return f"{where}: cannot be opened"
    return ""


def warnings(business: Business, found: list[_Files]) -> Iterator[str]:
    """What is allowed and probably not meant."""
    config = business.config
    if config.salt in EXAMPLE_SALTS and config.business not in ("online_retail", "oulad"):
        yield "salt: is that of the example; put a secret of your own there before the first run"
    if "consents" not in config.feeds:
        for channel in sorted({play.channel for play in config.plays.values()} - set(config.consent_basis)):
            yield (
                f"consent_basis: there is no consents feed and no basis for {channel}; "
                f"plays on this channel reach nobody (basis: {', '.join(_WRITING_BASES)})"
            )
        if not config.plays and not config.consent_basis:
            yield "consent_basis: there is no consents feed and no basis; plays would reach nobody"
    for files in found:
        if not files.names:
            yield f"feeds.{files.feed}: no file matches {files.pattern!r}"
