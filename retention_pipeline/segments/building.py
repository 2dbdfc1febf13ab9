"""Puts every active customer of a day into one segment, and describes the segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from retention_pipeline.campaigns.files import sync, write_parquet
from retention_pipeline.errors import RetentionError
from retention_pipeline.quoting import literal
from retention_pipeline.segments.behaviours import known_behaviours, read_behaviours
from retention_pipeline.segments.clustering import Labels
from retention_pipeline.segments.finding import Customers, holding_segments
from retention_pipeline.segments.personas import persona_rows, trait_rows, traits_of
from retention_pipeline.segments.solution import FOLDER, earlier_moves, keep_solution, last_solution, moves_file
from retention_pipeline.segments.tables import TABLES, create_tables
from retention_pipeline.segments.wording import language_of
from retention_pipeline.transactions import transaction
from retention_pipeline.workspace.segment_settings import MicroSegmentSettings

_LIFECYCLE_MIXES = """
SELECT segment, string_agg(stage || ' ' || round(100 * part)::INTEGER || ' %', ', ' ORDER BY part DESC, stage) AS mix
FROM (
    SELECT segment, lifecycle_stage AS stage, count(*) / sum(count(*)) OVER (PARTITION BY segment) AS part
    FROM decisions.micro_segments
    INNER JOIN marts.customer_360 USING (customer_key)
    GROUP BY segment, lifecycle_stage
) AS parts
GROUP BY segment
"""


@dataclass(frozen=True)
class SegmentsOfDay:
    """What was done on a day.

    Attributes:
        segments: Number of segments.
        customers: Active customers.
        moved: Customers who were in another segment before.
        found_on: Day on which the segments were found.
        because: Why segments were found on this day; empty where those of before hold.
    """

    segments: int
    customers: int
    moved: int
    found_on: str
    because: str


def build_micro_segments(
    con: duckdb.DuckDBPyConnection, day: date, settings: MicroSegmentSettings, language: str, state: Path
) -> SegmentsOfDay:
    """Write `decisions.micro_segments`, `personas` and `persona_traits` of `day`, and keep what the next day needs.

    Args:
        con: The warehouse, with `marts.customer_360` of the day.
        day: The as-of day.
        settings: `segments.micro`.
        language: Language of the business.
        state: The folder of what cannot be rebuilt.

    Raises:
        RetentionError: What earlier days kept cannot be read.
    """
    behaviours = known_behaviours(con, settings.excluded)
    keys, plain = read_behaviours(con, behaviours)
    customers = Customers(keys, behaviours, plain)
    before, since = _segments_before(con, keys, day, state)
    spoken = language_of(language)
    holding = holding_segments(customers, before, last_solution(state, day), day, settings, spoken)
    numbers = holding.numbers
    stayed = numbers == before
    moved = ~stayed & (before > 0)
    rows = {
        "customer_key": keys,
        "segment": numbers,
        "distance": np.round(holding.assignment.distances, 4),
        "since": np.where(stayed, since, np.datetime64(day, "D")).astype("datetime64[us]"),
        "has_stayed": stayed,
    }
    traits = traits_of(customers, holding)
    arrived = dict(enumerate(np.bincount(numbers[moved]).tolist()))
    con.register("segmented", rows)
    try:
        with transaction(con):
            create_tables(con)
            con.execute(
                "INSERT INTO decisions.micro_segments SELECT ?, customer_key, segment, distance, since::DATE"
                " FROM segmented ORDER BY customer_key",
                [day],
            )
            mixes = dict(con.execute(_LIFECYCLE_MIXES).fetchall())
            _insert(con, "personas", persona_rows(day, holding, traits, mixes, arrived, spoken))
            _insert(con, "persona_traits", trait_rows(traits))
            # A day that shows segments has kept them: the files come before the end of the transaction.
            keep_solution(state, day, holding.solution if holding.because else None)
            _keep_moves(con, day, state)
    finally:
        con.unregister("segmented")
    return SegmentsOfDay(
        len(holding.solution.segments), len(keys), int(moved.sum()), holding.solution.found_on, holding.because
    )


def _segments_before(
    con: duckdb.DuckDBPyConnection, keys: NDArray[np.object_], day: date, state: Path
) -> tuple[Labels, NDArray[np.datetime64]]:
    """For each customer the segment of the days before, 0 where there is none, and since when."""
    files = [str(path) for path in earlier_moves(state, day)]
    if not files:
        return np.zeros(len(keys), dtype=np.int64), np.full(len(keys), np.datetime64(day, "D"))
    con.register("present", {"customer_key": keys})
    try:
        found = con.execute(
            "SELECT coalesce(moved.segment, 0) AS segment, coalesce(moved.since, ?::DATE) AS since FROM present"
            " LEFT JOIN (SELECT customer_key, max_by(segment, as_of) AS segment, max(as_of) AS since"
            " FROM read_parquet(?) GROUP BY customer_key) AS moved"
            " ON moved.customer_key = present.customer_key ORDER BY present.customer_key",
            [day, files],
        ).fetchnumpy()
    except duckdb.Error as error:
        raise RetentionError(
            f"the segments of earlier days cannot be read: {str(error).splitlines()[0]}",
            where=f"state/{FOLDER}",
            expected="one Parquet file a day, as the pipeline wrote it",
            way_out="put the file back from a backup; without it customers may change their segment at once",
        ) from error
    finally:
        con.unregister("present")
    return np.asarray(found["segment"], dtype=np.int64), np.asarray(found["since"]).astype("datetime64[D]")


def _keep_moves(con: duckdb.DuckDBPyConnection, day: date, state: Path) -> None:
    path = moves_file(state, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    write_parquet(
        con,
        f"SELECT {literal(day.isoformat())}::DATE AS as_of, customer_key, segment FROM segmented"
        " WHERE NOT has_stayed ORDER BY customer_key",
        unfinished,
    )
    unfinished.replace(path)
    sync(path.parent)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        con.executemany(f"INSERT INTO decisions.{table} VALUES ({', '.join('?' * len(TABLES[table]))})", rows)
