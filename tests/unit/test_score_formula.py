"""The formula of the scores, as dbt writes it: bounds, and that no better measure makes a score worse."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.dbt_runner import DBT_PROJECT

COMPONENTS = ("one", "two", "three")


def _body(name: str) -> str:
    """The SQL of a macro, for components that are written out by hand below."""
    text = (DBT_PROJECT / "macros" / "scores.sql").read_text(encoding="utf-8")
    return re.search(rf"{{% macro {name}\(.*?\) -%}}(.*?){{%- endmacro %}}", text, re.DOTALL)[1]


def _rendered(macro: str, /, **values: object) -> str:
    from jinja2 import Environment

    text: str = Environment(autoescape=False).from_string(_body(macro)).render(**values)
    return text


@pytest.fixture(scope="module")
def query() -> str:
    parts = ", ".join(f"{_rendered('component', name=name)} AS {name}" for name in COMPONENTS)
    return (
        f"WITH parts AS (SELECT {parts} FROM measures CROSS JOIN setting)"
        f" SELECT {', '.join(COMPONENTS)}, {_rendered('weighted_score', components=COMPONENTS)}"
        " FROM parts CROSS JOIN setting"
    )


LEVEL = st.integers(-50, 50)
SETTINGS = st.tuples(st.integers(0, 9), LEVEL, LEVEL).filter(lambda levels: levels[1] != levels[2])


def _scored(con: duckdb.DuckDBPyConnection, query: str, measures: tuple[float | None, ...], levels: list) -> tuple:
    shown = ", ".join(f"{'NULL' if m is None else m}::DOUBLE AS {n}" for n, m in zip(COMPONENTS, measures, strict=True))
    columns = ", ".join(
        f"{weight}::DOUBLE AS {n}_weight, {zero}::DOUBLE AS {n}_at_zero, {full}::DOUBLE AS {n}_at_full"
        for n, (weight, zero, full) in zip(COMPONENTS, levels, strict=True)
    )
    con.execute(f"CREATE OR REPLACE TABLE measures AS SELECT {shown}")
    con.execute(f"CREATE OR REPLACE TABLE setting AS SELECT {columns}")
    return con.execute(query).fetchall()[0]


@given(
    measures=st.tuples(*(st.none() | st.floats(-100, 100) for _ in COMPONENTS)),
    levels=st.lists(SETTINGS, min_size=3, max_size=3),
    better=st.floats(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_a_score_is_a_mean_and_never_falls_when_a_measure_gets_better(
    query: str, measures: tuple[float | None, ...], levels: list[tuple[int, int, int]], better: float
) -> None:
    with duckdb.connect() as con:
        *parts, score = _scored(con, query, measures, levels)
        counted = [p for p, (weight, _, _) in zip(parts, levels, strict=True) if weight and p is not None]
        assert (score is None) == (not counted)
        assert [part is None for part in parts] == [measure is None for measure in measures]
        assert all(part is None or 0 <= part <= 100 for part in parts)
        if score is None:
            return
        assert min(counted) <= score <= max(counted)
        if measures[0] is not None:
            _, zero, full = levels[0]
            moved = measures[0] + (better if full > zero else -better)
            assert _scored(con, query, (moved, *measures[1:]), levels)[3] >= score
