"""What really happened, written apart from the exports: never in the folder that a pipeline reads."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np

from retention_pipeline.errors import RetentionError
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.simulator import feeds
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import Array
from retention_pipeline.simulator.world import World

_MONEY = {"opening", "closing", "mrr_lost", "value", "earned", *words.MOVEMENTS}
_DAYS = {"day", "happened_on", "known_on", "decides_on", "signup", "first_paid", "ended_on"}
_CODES = {
    "cause": words.CAUSES, "end_kind": words.END_KINDS, "kind": words.KINDS, "currency": words.CURRENCIES,
    "plan": words.PLANS, "status": ("none", "pending", "trial", "paid", "paused", "ended"),
}  # fmt: skip
ACTIVITY = "activity/"
"""Tables of facts as they happened begin with it; their numbers are the simulator's own."""
TRAITS = ("need", "price_sensitivity", "engagement", "satisfaction_base", "card_quality", "basket", "kind")
"""The hidden columns of a customer."""


def check_apart(out: Path, truth: Path) -> None:
    """The truth must lie outside the folder of the business.

    Raises:
        RetentionError: It does not.
    """
    if truth.resolve().is_relative_to(out.resolve()):
        raise RetentionError(
            "the truth would lie within the folder of the business", where="--truth",
            expected="a folder outside of it", way_out=f"leave --truth out: {out.name}_truth is then used",
        )  # fmt: skip


def write_settings(world: World, folder: Path) -> None:
    """The configuration, the days of the incidents and the true effects of plays."""
    folder.mkdir(parents=True, exist_ok=True)
    market = world.market
    facts = {
        "knobs": world.knobs.model_dump(mode="json"),
        "described": {name: str(field.description) for name, field in type(world.knobs).model_fields.items()},
        "incidents": {
            name: world.calendar.date_of(day).isoformat() if day >= 0 else None
            for name, day in (
                ("outage", market.outage_day), ("price_change", market.price_change_day),
                ("bad_release", market.bad_release_day),
            )
        },
        "effects_by_kind": {
            play: dict(zip(words.KINDS, effects, strict=True))
            for play, effects in world.knobs.campaigns.effects.items()
        },
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_told(world: World, folder: Path) -> None:
    """Write what has been told since the last call: `<table>/<day>.parquet`."""
    stamp = world.calendar.date_of(world.day).isoformat()
    with duckdb.connect(config={"threads": 1}) as con:
        for table, parts in sorted(world.told.items()):
            rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            columns = "*" if table.startswith(ACTIVITY) else _columns(world, rows)
            _write(con, folder / table / f"{stamp}.parquet", rows, columns)
    world.told.clear()


def write_customers(world: World, folder: Path, ahead: dict[str, Array] | None = None) -> None:
    """Every customer with the hidden traits and where they stand at the end of the last day.

    Args:
        world: The world.
        folder: Where the truth is.
        ahead: What lies ahead of each customer, where futures were simulated.
    """
    names = (*TRAITS, "currency", "signup", "status", "first_paid", "ended_on", "cause", "value", "earned", "is_test")
    rows = {"customer": np.arange(world.come), **{name: world.column(name) for name in names}}
    _write_alone(world, folder / "customers.parquet", {**rows, **(ahead or {})})


def write_table(world: World, folder: Path, table: str, rows: dict[str, Array]) -> None:
    """One table of the truth of today."""
    _write_alone(world, folder / table / f"{world.calendar.date_of(world.day).isoformat()}.parquet", rows)


def _write_alone(world: World, path: Path, rows: dict[str, Array]) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        _write(con, path, rows, _columns(world, rows))


def _write(con: duckdb.DuckDBPyConnection, path: Path, rows: dict[str, Array], columns: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        name: values.astype(object) if values.dtype.kind == "U" else np.ascontiguousarray(values)
        for name, values in rows.items()
    }
    con.register("truth_rows", arrays)
    con.execute(f"COPY (SELECT {columns} FROM truth_rows) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    con.unregister("truth_rows")


def _columns(world: World, rows: dict[str, Array]) -> str:
    return ", ".join(_column(world, name) for name in rows)


def _column(world: World, name: str) -> str:
    own = identifier(name)
    if name == "customer":
        return f"{feeds.CUSTOMER} AS customer_id"
    if name == "subscription":
        return f"{feeds.numbered('sub_', name)} AS subscription_id"
    if name in _DAYS:
        first = literal(world.calendar.first_day.isoformat())
        return f"CASE WHEN {own} >= 0 THEN DATE {first} + {own}::INTEGER END AS {own}"
    if name in _CODES:
        return f"{feeds.code(name, _CODES[name])} AS {own}"
    if name in _MONEY or name.startswith(("value_", "earned_", "expected_")):
        return f"{feeds.money(name)} AS {own}"
    return own
