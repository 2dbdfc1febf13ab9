"""Cohorts and lifetimes of a simulated business, computed anew from its books: tables beside the marts of their names.

A figure of NaN is one that must be missing: its days are not over yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

from tests.integration.simulated_books import Books

Table = Callable[[Books], pd.DataFrame]

UNIT = 10_000
WINDOWS = {"day": 90, "week": 26, "month": 12}
"""Ages within which a customer has to come back to count as active later."""
BRACKETS = ((1, 7), (8, 30), (31, 90), (91, 180), (181, 365))
CAUSES = {"cancelled": "voluntary", "term_end": "voluntary", "involuntary": "involuntary", "inactivity": "inactivity"}
MILESTONES = (1, 3, 6, 12)
HORIZONS = (30, 90, 180, 365)


def cohort_members(books: Books) -> Iterator[tuple[str, pd.Series, np.ndarray]]:
    """Kind of cohort, the first day of each customer, and on which days customers are active, by customer and day."""
    yield "first_active", books.lives.groupby("customer")["start"].min(), _marked(books, books.seen)
    bought = books.purchases[["customer", "day"]]
    yield "first_purchase", bought.groupby("customer")["day"].min(), _marked(books, bought)


def _marked(books: Books, rows: pd.DataFrame, weights: str = "") -> np.ndarray:
    """A number for each customer and day: how often they are in `rows`, or the sum of a column."""
    marks = np.zeros((len(books.people), books.days), dtype=np.int64)
    places = books.people["row"].loc[rows["customer"]].to_numpy(), rows["day"].to_numpy()
    np.add.at(marks, places, rows[weights].to_numpy() if weights else 1)
    return marks


def periods_of(unit: str, books: Books) -> np.ndarray:
    """The number of the period in which each day lies, the first day in period 0."""
    days = pd.date_range(books.first_day, periods=books.days)
    if unit == "day":
        return np.arange(books.days)
    if unit == "week":
        return (np.arange(books.days) + (books.first_day.isoweekday() - books.rules.week_starts_on) % 7) // 7
    return np.asarray((days.year - books.first_day.year) * 12 + days.month - books.first_day.month)


def start_of(unit: str, books: Books, period: int) -> date:
    """The first day of a period."""
    if unit == "month":
        months = books.first_day.year * 12 + books.first_day.month - 1 + int(period)
        return date(months // 12, months % 12 + 1, 1)
    if unit == "week":
        back = (books.first_day.isoweekday() - books.rules.week_starts_on) % 7
        return books.first_day + timedelta(days=7 * int(period) - back)
    return books.date_of(period)


@cache
def cohort_retention(books: Books) -> pd.DataFrame:
    """Active in a period (classic), in it or later (unbounded), still a customer at its end, and revenue."""
    tables = []
    worth = _marked(books, books.lines, "worth")
    for kind, firsts, active in cohort_members(books):
        for unit, window in WINDOWS.items():
            periods = periods_of(unit, books)
            rows, cohort_of = books.people["row"].loc[firsts.index].to_numpy(), periods[firsts.to_numpy()]
            starts = [start_of(unit, books, period) for period in range(periods[-1] + window + 3)]
            begins = np.array([books.number_of(start) for start in starts])
            cohorts = np.unique(cohort_of)
            member = (cohorts[:, None] == cohort_of[None, :]).astype(np.int64)
            ages = np.arange(periods[-1] - cohorts[0] + 1)
            # By member and age: the period of the customer's own cohort comes first.
            place = cohort_of[:, None] + ages[None, :]
            is_over = begins[np.minimum(place + 1, len(begins) - 1)] <= books.days

            def aged(by_period: np.ndarray, place: np.ndarray = place, is_over: np.ndarray = is_over) -> np.ndarray:
                inside = np.minimum(place, by_period.shape[1] - 1)
                return np.where(is_over, np.take_along_axis(by_period, inside, axis=1), 0)

            edges = np.searchsorted(periods, np.arange(periods[-1] + 1))
            acts = aged(np.add.reduceat(active[rows], edges, axis=1)) > 0
            last_days = np.minimum(np.append(edges[1:], books.days) - 1, books.days - 1)
            stays = aged(books.active[rows][:, last_days])
            money = aged(np.add.reduceat(worth[rows], edges, axis=1))
            in_window = np.where(ages <= window, acts, False)
            later = np.flip(np.maximum.accumulate(np.flip(in_window, axis=1), axis=1), axis=1)
            shape = (len(cohorts), len(ages))
            table = pd.DataFrame(
                {
                    "cohort_kind": kind, "cohort_unit": unit,
                    "cohort_start": np.repeat([starts[cohort] for cohort in cohorts], len(ages)),
                    "age": np.tile(ages, len(cohorts)),
                    "size": np.broadcast_to(member.sum(axis=1)[:, None], shape).ravel(),
                    "retained": (member @ stays).ravel(),
                    "classic_retention_rate_numerator": (member @ acts).ravel(),
                    "unbounded_retention_rate_numerator": (member @ later).ravel(),
                    "revenue": (member @ money).ravel() / UNIT,
                    "cumulative_revenue": np.cumsum(member @ money, axis=1).ravel() / UNIT,
                    "first_revenue": np.broadcast_to((member @ money)[:, :1], shape).ravel() / UNIT,
                    "is_over": (begins[np.minimum(cohorts[:, None] + ages + 1, len(begins) - 1)] <= books.days).ravel(),
                    "window": np.broadcast_to((begins[cohorts + window + 1] <= books.days)[:, None], shape).ravel(),
                }
            )  # fmt: skip
            table = table[table["is_over"]].drop(columns="is_over")
            is_known = table.pop("window") & (table["age"] <= window)
            table.loc[~is_known, "unbounded_retention_rate_numerator"] = np.nan
            tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    size, first = table.pop("size"), table.pop("first_revenue")
    for name in ("classic_retention_rate", "unbounded_retention_rate"):
        table[name] = table[f"{name}_numerator"] / size
    table["retention_rate"] = table["retained"] / size
    table["revenue_retention"] = table["revenue"] / first.where(first != 0)
    table["cumulative_revenue_per_customer"] = table["cumulative_revenue"] / size
    return table


@cache
def cohort_brackets(books: Books) -> pd.DataFrame:
    """Active on any day of a bracket of days after the customer's own first day."""
    rows = []
    for kind, firsts, active in cohort_members(books):
        days = active[books.people["row"].loc[firsts.index]] > 0
        age = np.arange(books.days) - firsts.to_numpy()[:, None]
        for low, high in BRACKETS:
            came = (days & (age >= low) & (age <= high)).any(axis=1)
            for unit in WINDOWS:
                cohort_of = periods_of(unit, books)[firsts.to_numpy()]
                for cohort in np.unique(cohort_of):
                    if books.number_of(start_of(unit, books, cohort + 1)) - 1 + high < books.days:
                        own = cohort_of == cohort
                        rows.append(
                            {
                                "cohort_kind": kind, "cohort_unit": unit,
                                "cohort_start": start_of(unit, books, cohort), "from_day": low,
                                "bracket_retention_rate_numerator": int(came[own].sum()),
                                "bracket_retention_rate": came[own].mean(),
                            }
                        )  # fmt: skip
    return pd.DataFrame(rows)


def lifetimes(books: Books) -> pd.DataFrame:
    """First lifetimes: days from the first active day to the end, or to the last day on which an end would be known."""
    until = books.days - 1 - (books.rules.inactivity_days if books.kind == "shop" else 0)
    lives = books.lives[(books.lives["number"] == 1) & (books.lives["start"] <= until)]
    cause = lives["kind"].map(CAUSES).where(lives["is_over"] & (lives["happened"] <= until), "")
    return pd.DataFrame(
        {
            "customer": lives["customer"],
            "days": np.where(cause != "", lives["happened"], until) - lives["start"],
            "cause": cause,
        }
    )


@cache
def survival_curve(books: Books) -> pd.DataFrame:
    """Kaplan-Meier and Aalen-Johansen day by day, as the definitions have it."""
    lives = lifetimes(books)
    days, cause = lives["days"].to_numpy(), lives["cause"].to_numpy()
    survival, rows = 1.0, []
    incidence = dict.fromkeys(("voluntary", "involuntary", "inactivity", "completed"), 0.0)
    for tenure in range(int(days.max(initial=0)) + 1):
        at_risk, here = int((days >= tenure).sum()), days == tenure
        ended = int((here & (cause != "")).sum())
        if at_risk:
            for name in incidence:
                incidence[name] += survival * int((here & (cause == name)).sum()) / at_risk
            survival *= 1 - ended / at_risk
        row = {
            "tenure_days": tenure, "customers_at_risk": at_risk, "survival": survival,
            **{f"incidence_{name}": value for name, value in incidence.items()},
        }  # fmt: skip
        if tenure and tenure % 30 == 0:
            spent = int((np.minimum(days, tenure) - np.minimum(days, tenure - 30)).sum())
            month = int(((days > tenure - 30) & (days <= tenure) & (cause != "")).sum())
            row |= {"hazard": 30 * month / spent, "hazard_numerator": month, "hazard_denominator": spent}
        rows.append(row)
    return pd.DataFrame(rows)


def survival_summary(books: Books) -> pd.DataFrame:
    """The first day on which half or fewer are left, four points of the curve, and ends per 30 days at risk."""
    lives, curve = lifetimes(books), survival_curve(books).set_index("tenure_days")
    half = curve.index[curve["survival"] <= 0.5]
    ended, spent = int((lives["cause"] != "").sum()), int(lives["days"].sum())
    row = {
        "customers": len(lives), "customers_ended": ended, "hazard": 30 * ended / spent if spent else np.nan,
        "median_lifetime_days": half[0] if len(half) else np.nan,
    }  # fmt: skip
    for days in HORIZONS:
        row[f"survival_{days}d"] = curve["survival"].get(days, np.nan)
    for name in [name for name in curve if name.startswith("incidence_")]:
        row[f"{name}_{HORIZONS[-1]}d"] = curve[name].get(HORIZONS[-1], np.nan)
    return pd.DataFrame([row])


def cohort_milestones(books: Books) -> pd.DataFrame:
    """Months of first active days at a few ages, one row for each figure that is known."""
    cells = cohort_retention(books)
    cells = cells[(cells["cohort_kind"] == "first_active") & (cells["cohort_unit"] == "month")]
    parts = [
        pd.DataFrame(
            {
                "metric": f"{metric}_month_" + row["age"].astype(str), "cohort_start": row["cohort_start"],
                "value": row[column], "numerator": row[numerator],
            }
        )
        for metric, column, numerator, ages in (
            ("cohort_retention_rate", "retention_rate", "retained", MILESTONES),
            ("cohort_classic_retention_rate", "classic_retention_rate", "classic_retention_rate_numerator", MILESTONES),
            ("cohort_unbounded_retention_rate", "unbounded_retention_rate", "unbounded_retention_rate_numerator",
             MILESTONES[:-1]),
            ("cohort_revenue_retention", "revenue_retention", "revenue", MILESTONES),
            ("cohort_revenue_per_customer", "cumulative_revenue_per_customer", "cumulative_revenue", MILESTONES),
        )
        for row in [cells[cells["age"].isin(ages)]]
    ]  # fmt: skip
    brackets = cohort_brackets(books)
    brackets = brackets[(brackets["cohort_kind"] == "first_active") & (brackets["cohort_unit"] == "month")]
    highs = brackets["from_day"].map(dict(BRACKETS)).astype(str)
    names = "cohort_bracket_retention_rate_day_" + brackets["from_day"].astype(str) + "_" + highs
    parts.append(
        pd.DataFrame(
            {
                "metric": names, "cohort_start": brackets["cohort_start"],
                "value": brackets["bracket_retention_rate"], "numerator": brackets["bracket_retention_rate_numerator"],
            }
        )
    )  # fmt: skip
    table = pd.concat(parts)
    return table[table["numerator"].notna()]


TABLES: dict[str, tuple[Table, tuple[str, ...]]] = {
    "cohort_retention": (cohort_retention, ("cohort_kind", "cohort_unit", "cohort_start", "age")),
    "cohort_brackets": (cohort_brackets, ("cohort_kind", "cohort_unit", "cohort_start", "from_day")),
    "cohort_milestones": (cohort_milestones, ("metric", "cohort_start")),
    "survival_curve": (survival_curve, ("tenure_days",)),
    "survival_summary": (survival_summary, ()),
}
"""Mart → its table of the books, and the columns that name a row of it."""


def compare_table(books: Books, mart: str, published: pd.DataFrame) -> list[str]:
    """A mart beside the table of the books, of everybody and of the segments that the books know; what differs."""
    table, keys = TABLES[mart]
    differences = []
    for dimension in ("all", "country", "acquisition_channel"):
        parts = {"all": books} if dimension == "all" else books.segments(dimension)
        for segment, part in parts.items():
            rows = published
            if "dimension" in published:
                rows = published[(published["dimension"] == dimension) & (published["segment"] == segment)]
            elif dimension != "all":
                continue
            own = table(part)
            if "cohort_start" in keys:
                rows = rows.assign(cohort_start=pd.to_datetime(rows["cohort_start"]).dt.date)
            joined = rows.merge(own, how="left", on=list(keys), suffixes=("", "_own")) if keys else rows.join(
                own.add_suffix("_own").set_index(rows.index)
            )  # fmt: skip
            assert len(joined) == len(rows)
            # Of days and weeks only the newest cohorts are published, of segments fewer kinds.
            whole = own[own["cohort_unit"] == "month"] if "cohort_unit" in own else own
            if "cohort_start" in keys and dimension == "all" and len(whole.merge(rows, on=list(keys))) != len(whole):
                differences.append(f"{mart}: of {len(whole)} cells not all are published")
            for name in [name for name in own.columns if name in published and name not in keys]:
                told, known = (pd.to_numeric(joined[column]).astype(float) for column in (name, f"{name}_own"))
                rounded = 5.1e-5 if name.endswith("_per_customer") or mart == "cohort_milestones" else 1e-6
                bad = ~(np.isclose(told, known, rtol=1e-6, atol=rounded, equal_nan=True))
                if bad.any():
                    first = joined[bad].iloc[0]
                    where = ", ".join(str(first[key]) for key in keys)
                    differences.append(
                        f"{mart}.{name} ({dimension} {segment}): {bad.sum()} of {len(joined)} differ:"
                        f" at {where} {first[name]} instead of {first[f'{name}_own']}"
                    )
    return differences
