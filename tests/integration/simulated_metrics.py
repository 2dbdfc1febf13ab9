"""Every published metric, computed anew from the books of a simulated business, by the written definition alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_pipeline.simulator import vocabulary as words
from tests.integration.simulated_books import Books, Span


UNIT = 10_000
"""The books count money in ten-thousandths."""


@dataclass(frozen=True)
class Rate:
    """A share or a ratio; without a denominator there is none."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


Figure = Rate | float | None
"""None where there is nothing to tell."""
Metric = Callable[[Books, Span], Figure]

METRICS: dict[str, Metric] = {}


def metric(*names: str) -> Callable[[Metric], Metric]:
    """Registers the function that computes a metric for a span of days."""

    def register(function: Metric) -> Metric:
        for name in names:
            assert name not in METRICS, name
            METRICS[name] = function
        return function

    return register


def _within(rows: pd.DataFrame, span: Span, column: str = "day") -> pd.DataFrame:
    return rows[rows[column].between(span.first, span.last)]


# Customers


@metric("customers_opening")
def customers_opening(books: Books, span: Span) -> Figure:
    return len(books.active_at(span.first - 1))


@metric("customers_closing", "customers_active")
def customers_closing(books: Books, span: Span) -> Figure:
    return len(books.active_at(span.last))


@metric("customers_new")
def customers_new(books: Books, span: Span) -> Figure:
    return int((_within(books.lives, span, "start")["number"] == 1).sum())


@metric("customers_reactivated")
def customers_reactivated(books: Books, span: Span) -> Figure:
    return int((_within(books.lives, span, "start")["number"] > 1).sum())


@metric("customers_lost")
def customers_lost(books: Books, span: Span) -> Figure:
    return len(_within(books.lives, span, "end"))


@metric("customers_completed", "customers_completed_of_opening")
def customers_completed(books: Books, span: Span) -> Figure:
    return 0  # the end of a term is a loss in these businesses


@metric("customers_retained")
def customers_retained(books: Books, span: Span) -> Figure:
    return len(books.active_at(span.first - 1) & books.active_at(span.last))


@metric("customers_churned_of_opening")
def customers_churned_of_opening(books: Books, span: Span) -> Figure:
    return len(books.active_at(span.first - 1) - books.active_at(span.last))


@metric("customer_churn_rate")
def customer_churn_rate(books: Books, span: Span) -> Figure:
    opening = books.active_at(span.first - 1)
    return Rate(len(opening - books.active_at(span.last)), len(opening))


@metric("customer_retention_rate")
def customer_retention_rate(books: Books, span: Span) -> Figure:
    opening = books.active_at(span.first - 1)
    return Rate(len(opening & books.active_at(span.last)), len(opening))


@metric("completion_rate")
def completion_rate(books: Books, span: Span) -> Figure:
    return Rate(0, len(books.active_at(span.first - 1)))


@metric("cancellations_before_start")
def cancellations_before_start(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    ends = books.endings[books.endings["end_kind"] == "cancelled_before_start"]
    return len(_within(ends, span, "happened_on"))


# Orders


@metric("orders")
def orders(books: Books, span: Span) -> Figure:
    return len(_within(books.purchases, span))


@metric("active_purchasers")
def active_purchasers(books: Books, span: Span) -> Figure:
    return _within(books.purchases, span)["customer"].nunique()


@metric("revenue")
def revenue(books: Books, span: Span) -> Figure:
    return int(_within(books.lines, span)["worth"].sum()) / 10_000


@metric("revenue_without_customer", "orders_without_customer")
def without_customer(books: Books, span: Span) -> Figure:
    return 0  # the simulator knows who buys


@metric("average_basket")
def average_basket(books: Books, span: Span) -> Figure:
    bought = _within(books.purchases, span)
    return Rate(int(bought["worth"].sum()) / 10_000, len(bought))


@metric("purchase_frequency")
def purchase_frequency(books: Books, span: Span) -> Figure:
    bought = _within(books.purchases, span)
    return Rate(len(bought), bought["customer"].nunique())


# Use


@metric("customers_using")
def customers_using(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return _within(books.facts["usage"], span)["customer"].nunique()


@metric("usage_events")
def usage_events(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int(_within(books.facts["usage"], span)["events"].sum())


# Recurring revenue


def _movement(name: str) -> Metric:
    def of_span(books: Books, span: Span) -> Figure:
        if books.kind == "shop":
            return None
        return int(books.movements[name][span.first : span.last + 1].sum()) / UNIT

    return of_span


for _name in ("new", "expansion", "contraction", "churned", "reactivation", "paused", "resumed", "fx"):
    metric(f"mrr_{_name}", _name)(_movement(_name))
metric("mrr_churned_involuntary")(_movement("churned_involuntary"))
metric("mrr_churned_in_pause")(_movement("churned_in_pause"))


@metric("mrr_churned_voluntary")
def mrr_churned_voluntary(books: Books, span: Span) -> Figure:
    days = slice(span.first, span.last + 1)
    if books.kind == "shop":
        return None
    return int((books.movements["churned"] - books.movements["churned_involuntary"])[days].sum()) / UNIT


@metric("mrr_opening", "opening")
def mrr_opening(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else _paid_before(books, span) / UNIT


def _paid_before(books: Books, span: Span) -> int:
    return int(books.value[:, span.first - 1].sum()) if span.first else 0


@metric("mrr_closing", "closing", "mrr")
def mrr_closing(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int(books.value[:, span.last].sum()) / UNIT


@metric("arr")
def arr(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else 12 * int(books.value[:, span.last].sum()) / UNIT


@metric("scheduled_to_cancel_mrr")
def scheduled_to_cancel_mrr(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return int(books.value[books.prices["is_asked"][:, span.last] == 1, span.last].sum()) / UNIT


@metric("paused_mrr")
def paused_mrr(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return int(books.valued(span.last, span.last)[books.status[:, span.last] == words.PAUSED].sum()) / UNIT


@metric("customers_paying", "subscriptions")
def customers_paying(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int((books.value[:, span.last] > 0).sum())


@metric("customers_paused")
def customers_paused(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int((books.status[:, span.last] == words.PAUSED).sum())


@metric("mrr_customers_opening")
def mrr_customers_opening(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return int((books.value[:, span.first - 1] > 0).sum()) if span.first else 0


@metric("gross_revenue_churn_rate")
def gross_revenue_churn_rate(books: Books, span: Span) -> Figure:
    return _of_opening(books, span, churned=1, contraction=1)


@metric("net_mrr_churn_rate")
def net_mrr_churn_rate(books: Books, span: Span) -> Figure:
    return _of_opening(books, span, churned=1, contraction=1, expansion=-1, reactivation=-1)


def _of_opening(books: Books, span: Span, **signs: int) -> Figure:
    if books.kind == "shop":
        return None
    return Rate(_moved(books, span, **signs), _paid_before(books, span) / UNIT)


def _moved(books: Books, span: Span, **signs: int) -> float:
    sums = books.movements[span.first : span.last + 1].sum()
    return int(sum(sums[name] * sign for name, sign in signs.items())) / UNIT


@metric("net_revenue_retention")
def net_revenue_retention(books: Books, span: Span) -> Figure:
    """At the rates of the opening: what rates alone did is no retention."""
    if books.kind == "shop":
        return None
    opening, closing = _of_opening_set(books, span)
    return Rate(int(closing.sum()) / UNIT, int(opening.sum()) / UNIT)


@metric("gross_revenue_retention")
def gross_revenue_retention(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    opening, closing = _of_opening_set(books, span)
    return Rate(int(np.minimum(opening, closing).sum()) / UNIT, int(opening.sum()) / UNIT)


def _of_opening_set(books: Books, span: Span) -> tuple[np.ndarray, np.ndarray]:
    opening = books.paid(span.first - 1, span.first - 1)
    members = opening > 0
    return opening[members], books.paid(span.last, max(span.first - 1, 0))[members]


@metric("quick_ratio")
def quick_ratio(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    won = _moved(books, span, new=1, expansion=1, reactivation=1)
    return Rate(won, _moved(books, span, churned=1, contraction=1))


@metric("arpa")
def arpa(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return Rate(int(books.value[:, span.last].sum()) / UNIT, int((books.value[:, span.last] > 0).sum()))


@metric("trial_conversion_rate")
def trial_conversion_rate(books: Books, span: Span) -> Figure:
    return _after(books, span, words.TRIAL)


@metric("resume_rate")
def resume_rate(books: Books, span: Span) -> Figure:
    return _after(books, span, words.PAUSED)


def _after(books: Books, span: Span, state: int) -> Figure:
    """Of the subscriptions that left a state in the span, those that went on paying."""
    if books.kind == "shop":
        return None
    states = books.status[:, max(span.first - 1, 0) : span.last + 1]
    left = (states[:, :-1] == state) & (states[:, 1:] != state)
    return Rate(int((left & (states[:, 1:] == words.PAID)).sum()), int(left.sum()))


def differs(figure: Figure, value: float | None) -> bool:
    """Whether a published value is not the one of the books, to a millionth and money to the ten-thousandth."""
    own = figure.value if isinstance(figure, Rate) else figure
    if own is None or value is None:
        return (own is None) != (value is None)
    return not np.isclose(float(own), float(value), rtol=1e-6, atol=1e-6)
