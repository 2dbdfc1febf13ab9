"""Whatever the order in which exports arrive, and however often, the tables are the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.files import matching_files
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.settings import PROJECT, StatePaths
from retention_pipeline.warehouse import create_layout, open_warehouse, write_run_context
from retention_pipeline.workspace.loading import Business, load_business
from retention_pipeline.workspace.schema import FileMapping
from tests.pipelines import table_digests

pytestmark = pytest.mark.slow

LAST_DAY = date(2025, 6, 30)
SAAS = PROJECT / "data" / "saas"
TABLES = ("intermediate", "marts")
STEPS = 6


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """The export files in the order in which they were delivered: by the day in their names."""
    return sorted((SAAS / "exports").iterdir(), key=lambda path: (path.name.rpartition("_")[2], path.name))


@pytest.fixture(scope="module")
def at_once(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """The tables when all files are there from the start."""
    return _tables(tmp_path_factory.mktemp("at_once"), [files])


def test_month_by_month(files: list[Path], at_once: dict[str, tuple[int, str]], tmp_path: Path) -> None:
    assert _tables(tmp_path, _chunks(files)) == at_once


def test_in_any_order(files: list[Path], at_once: dict[str, tuple[int, str]], tmp_path: Path) -> None:
    shuffled = random.Random(5).sample(files, len(files))
    assert _tables(tmp_path, _chunks(shuffled)) == at_once


def test_rows_delivered_again(files: list[Path], at_once: dict[str, tuple[int, str]], tmp_path: Path) -> None:
    """A tenth of all current rows comes again in later files, and then all of these files under other names."""
    business = load_business(SAAS)
    again = tmp_path / "again"
    again.mkdir()
    delivered = _deliver_again(business, again)
    assert delivered > 10_000
    late = sorted(again.iterdir())
    copies = tmp_path / "copies"
    copies.mkdir()
    for path in late:
        shutil.copy(path, copies / path.name.replace("2026-01-31", "2026-02-28"))
    assert _tables(tmp_path, [files, late, sorted(copies.iterdir())]) == at_once


def _chunks(files: Sequence[Path]) -> list[Sequence[Path]]:
    size = -(-len(files) // STEPS)
    return [files[begin : begin + size] for begin in range(0, len(files), size)]


def _tables(folder: Path, deliveries: Sequence[Sequence[Path]]) -> dict[str, tuple[int, str]]:
    """Load one delivery after the other into a new state, then build the models as of the same day."""
    business = folder / "business"
    (business / "exports").mkdir(parents=True)
    shutil.copy(SAAS / "retention.yaml", business)
    paths = StatePaths(folder / "state")
    paths.warehouse.parent.mkdir(parents=True)
    loaded = load_business(business)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        for delivery in deliveries:
            for path in delivery:
                shutil.copy(path, business / "exports")
            assert not any(load.problems for load in load_feeds(con, loaded).values())
        again = load_feeds(con, loaded)
        assert not any(load.files_new for load in again.values()), "the same files are not taken twice"
        write_run_context(con, loaded.config, LAST_DAY)
    assert run_dbt(["run"], paths).success
    return table_digests(paths.warehouse, TABLES)


def _deliver_again(business: Business, folder: Path) -> int:
    """Write a tenth of the current rows of every file family into one later file each; returns their number."""
    rows = 0
    with duckdb.connect() as con:
        for feed, mappings in business.config.feeds.items():
            for mapping in mappings:
                paths = matching_files(business.folder, mapping.files)
                key = _source_key(feed, mapping)
                newest = (
                    f"QUALIFY row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY _path DESC, _row DESC) = 1"
                    if key
                    else ""
                )
                con.execute(
                    "CREATE OR REPLACE TABLE again AS SELECT DISTINCT * EXCLUDE (_path, _row, filename)"
                    " FROM (SELECT * FROM ("
                    f"SELECT *, filename AS _path, row_number() OVER () AS _row FROM {_read(paths, mapping)}) {newest})"
                    " WHERE hash(_path, _row) % 10 = 0"
                )
                rows += con.execute("SELECT count(*) FROM again").fetchall()[0][0]
                name = f"{paths[0].name.rpartition('_')[0]}_2026-01-31{''.join(paths[0].suffixes)}"
                options = {
                    "parquet": "FORMAT PARQUET",
                    "jsonl": "HEADER false, QUOTE '', DELIMITER '\x01', COMPRESSION ZSTD, FORMAT CSV",
                    "csv": f"HEADER, DELIMITER {literal(mapping.delimiter)}, COMPRESSION ZSTD, FORMAT CSV",
                }[mapping.format]
                con.execute(f"COPY again TO {literal(str(folder / name))} ({options})")
    return rows


def _read(paths: Sequence[Path], mapping: FileMapping) -> str:
    names = ", ".join(literal(str(path)) for path in paths)
    if mapping.format == "parquet":
        return f"read_parquet([{names}], filename = true)"
    if mapping.format == "jsonl":
        return (
            f"read_csv([{names}], columns = {{'object': 'VARCHAR'}}, auto_detect = false, header = false, quote = '',"
            " escape = '', delim = '\x01', filename = true)"
        )
    return (
        f"read_csv([{names}], all_varchar = true, filename = true, delim = {literal(mapping.delimiter)}, quote = '\"')"
    )


def _source_key(feed: str, mapping: FileMapping) -> list[str]:
    """SQL of the columns of the file that are the feed's key; all of them are plain names in this business."""
    names = [str(mapping.columns[name]) for name in CONTRACTS[feed].keys if name in mapping.columns]
    if mapping.format == "jsonl":
        return [f"json_extract_string(object, {literal(f'$.{name}')})" for name in names]
    return [identifier(name) for name in names]
