"""What micro-segments are made of: numbers of `marts.customer_360` about what an active customer does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Behaviour:
    """A number about a customer.

    Args:
        name: As in `segments.micro.excluded`.
        sql: Expression over `marts.customer_360`; never null where the feed is there.
        needs: Column that is missing for everybody where the feed is not there.
        is_logged: Whether orders of size matter more than differences: then log(1 + x) is compared.
    """

    name: str
    sql: str
    needs: str
    is_logged: bool = True


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("silence", "coalesce(days_since_last_activity, days_in_period)", "days_since_last_activity"),
    Behaviour("orders", "orders_365d", "orders_365d"),
    Behaviour("basket", "coalesce(average_basket, 0)", "orders_365d"),
    Behaviour("returns", "coalesce(return_share_365d, 0)", "return_share_365d", is_logged=False),
    Behaviour("use", "usage_days_30d", "usage_days_30d"),
    Behaviour(
        "use_trend", "ln(1 + usage_events_30d) - ln(1 + usage_events_prior_30d)", "usage_events_30d", is_logged=False
    ),
    Behaviour("breadth", "usage_features_30d", "usage_features_30d"),
    Behaviour("events", "events_30d", "events_30d"),
    Behaviour("price", "coalesce(monthly_price, 0)", "monthly_price"),
    Behaviour("tickets", "tickets_90d", "tickets_90d"),
    Behaviour("opened", "messages_opened_90d", "messages_opened_90d"),
    Behaviour("tenure", "tenure_days", "tenure_days"),
)

_ACTIVE = "marts.customer_360 WHERE is_active"


def known_behaviours(con: DuckDBPyConnection, excluded: Collection[str]) -> list[Behaviour]:
    """The behaviours that the feeds of the business tell of, without those that are excluded."""
    counts = con.execute(
        f"SELECT {', '.join(f'count({behaviour.needs})' for behaviour in BEHAVIOURS)} FROM {_ACTIVE}"
    ).fetchall()[0]
    return [
        behaviour
        for behaviour, count in zip(BEHAVIOURS, counts, strict=True)
        if count and behaviour.name not in excluded
    ]


def read_behaviours(con: DuckDBPyConnection, behaviours: Sequence[Behaviour]) -> tuple[NDArray[np.object_], Floats]:
    """The keys of the active customers in their order, and a row of plain numbers for each."""
    columns = "".join(f", coalesce(CAST({behaviour.sql} AS DOUBLE), 0) AS {behaviour.name}" for behaviour in behaviours)
    found = con.execute(f"SELECT customer_key{columns} FROM {_ACTIVE} ORDER BY customer_key").fetchnumpy()
    keys = np.asarray(found["customer_key"], dtype=object)
    matrix = np.empty((len(keys), len(behaviours)), dtype=np.float64)
    for place, behaviour in enumerate(behaviours):
        matrix[:, place] = np.asarray(found[behaviour.name], dtype=np.float64)
    return keys, matrix


def comparable(matrix: Floats, behaviours: Sequence[Behaviour]) -> Floats:
    """The numbers as they are compared: log(1 + x) where orders of size matter."""
    shown = matrix.copy()
    for place, behaviour in enumerate(behaviours):
        if behaviour.is_logged:
            shown[:, place] = np.log1p(np.maximum(shown[:, place], 0))
    return shown
