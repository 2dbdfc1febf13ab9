"""Every published metric, computed anew from the books of a simulated business, by the written definition alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from retention_pipeline.simulator import vocabulary as words
from tests.integration.simulated_books import Books, Span

VALUE_DAYS = 90
DAYS_OF_A_MONTH = 30.4375
UNIT = 10_000
"""The books count money in ten-thousandths."""


@dataclass(frozen=True)
class Rate:
    """A share or a ratio; without a denominator there is none."""

    numerator: float
    denominator: float
    scale: int = 1
    """What the ratio is multiplied with: 100 for points."""

    @property
    def value(self) -> float | None:
        return self.scale * self.numerator / self.denominator if self.denominator else None


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
    days = rows[column].to_numpy()
    return rows[(days >= span.first) & (days <= span.last)]


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


@metric("customers_joined")
def customers_joined(books: Books, span: Span) -> Figure:
    return len(books.active_at(span.last) - books.active_at(span.first - 1))


@metric("customers_joined_and_left")
def customers_joined_and_left(books: Books, span: Span) -> Figure:
    within = set(books.people.index[books.active[:, span.first : span.last + 1].any(axis=1)])
    return len(within - books.active_at(span.first - 1) - books.active_at(span.last))


@metric("customers_lost_early")
def customers_lost_early(books: Books, span: Span) -> Figure:
    return int(_within(books.lives, span, "end")["is_early"].sum())


def _churn_by(*kinds: str) -> Metric:
    """Of the opening set, those who are gone at the end and whose last end was of these kinds."""

    def rate(books: Books, span: Span) -> Figure:
        opening = books.active_at(span.first - 1)
        gone = opening - books.active_at(span.last)
        ends = _within(books.lives, span, "end").drop_duplicates("customer", keep="last")
        return Rate(int((ends["customer"].isin(gone) & ends["kind"].isin(kinds)).sum()), len(opening))

    return rate


metric("voluntary_churn_rate")(_churn_by("cancelled", "term_end"))
metric("involuntary_churn_rate")(_churn_by("involuntary"))
metric("unknown_churn_rate", "non_contractual_churn_rate")(_churn_by("inactivity"))
metric("contractual_churn_rate")(_churn_by("cancelled", "term_end", "involuntary"))


@metric("early_churn_rate")
def early_churn_rate(books: Books, span: Span) -> Figure:
    """Of the customers whose first days are over, in the month from which every early loss is known."""
    wait = books.rules.early_days + (books.rules.inactivity_days if books.kind == "shop" else 0)
    due = books.lives[books.lives["number"] == 1]
    due = due[(due["first"] + wait).between(span.first, span.last)]["customer"]
    lost = books.lives[books.lives["is_early"]]["customer"]
    return Rate(int(due.isin(lost).sum()), len(due))


@metric("reactivation_rate")
def reactivation_rate(books: Books, span: Span) -> Figure:
    before = books.lives[books.lives["start"] < span.first]
    lapsed = set(before["customer"]) - books.active_at(span.first - 1)
    back = _within(books.lives, span, "start")["customer"]
    return Rate(len(lapsed & set(back)), len(lapsed))


@metric("logo_churn_rate_stripe")
def logo_churn_rate_stripe(books: Books, span: Span) -> Figure:
    lost = len(_within(books.lives, span, "end"))
    return Rate(lost, len(books.active_at(span.first - 1)) + len(_within(books.lives, span, "start")))


@metric("churn_rate_daily_sum")
def churn_rate_daily_sum(books: Books, span: Span) -> Figure:
    active = np.concatenate([[0], books.active.sum(axis=0)])[span.first : span.last + 1]
    lost = np.bincount(_within(books.lives, span, "end")["end"] - span.first, minlength=len(active))
    days = active > 0
    return float((lost[days] / active[days]).sum()) if days.any() else None


# Indicators of win-back that need no contact


metric("attrition")(customer_churn_rate)


@metric("churn_rate_change")
def churn_rate_change(books: Books, span: Span) -> Figure:
    """Against the month before; rates have six digits."""
    number = books.months.index(span)
    if number == 0:
        return None
    rates = [customer_churn_rate(books, month) for month in books.months[number - 1 : number + 1]]
    before, now = (rate.value for rate in rates if isinstance(rate, Rate))
    return None if before is None or now is None else round(now, 6) - round(before, 6)


@metric("attrition_movements")
def attrition_movements(books: Books, span: Span) -> Figure:
    return int((_within(books.lives, span, "start")["number"] > 1).sum()) - len(_within(books.lives, span, "end"))


@metric("holding_duration_ratio")
def holding_duration_ratio(books: Books, span: Span) -> Figure:
    """Median days of the later lifetimes that ended, over that of the first ones."""
    over = _within(books.lives, span, "end")
    days = over["happened"] - over["start"]
    first, later = days[over["number"] == 1], days[over["number"] > 1]
    return Rate(float(later.median()), float(first.median())).value if len(first) and len(later) else None


@metric("customer_value_ratio")
def customer_value_ratio(books: Books, span: Span) -> Figure:
    """Of who came back: what they brought in the days after the return, over as many days before the loss."""
    if not books.is_over(span) or span.last + VALUE_DAYS >= books.days:
        return None
    lives, sums = books.lives, {"before": 0.0, "after": 0.0}
    gone_from = (lives["happened"] + (lives["kind"] == "inactivity")).groupby(lives["customer"]).shift(1)
    for life, gone in zip(lives.itertuples(), gone_from, strict=True):
        if life.number > 1 and span.first <= life.start <= span.last:
            for side, first in (("before", int(gone) - VALUE_DAYS), ("after", life.start)):
                days = range(max(first, 0), max(first + VALUE_DAYS, 0))
                row = books.people["row"][life.customer]
                bought = books.bought[row, days.start : days.stop].sum()
                sums[side] += bought + books.earned(row, days) / DAYS_OF_A_MONTH
    return Rate(sums["after"], sums["before"]).value


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


def _seen(books: Books, span: Span) -> int:
    return int(books.sightings[:, max(span.first, 0) : span.last + 1].any(axis=1).sum())


@metric("daily_active_customers")
def daily_active_customers(books: Books, span: Span) -> Figure:
    return _seen(books, Span(span.last, span.last, span.day))


@metric("monthly_active_customers")
def monthly_active_customers(books: Books, span: Span) -> Figure:
    return _seen(books, Span(span.last - 29, span.last, span.day))


@metric("stickiness")
def stickiness(books: Books, span: Span) -> Figure:
    today, month = Span(span.last, span.last, span.day), Span(span.last - 29, span.last, span.day)
    return Rate(_seen(books, today), _seen(books, month))


# Purchases by rhythm: the customer's own, and a fixed window


def _by(silence: str, figure: str) -> Metric:
    def of_span(books: Books, span: Span) -> Figure:
        spells = books.spells(silence)
        opening = set(spells["customer"][(spells["start"] < span.first) & (spells["end"] >= span.first)])
        closing = set(spells["customer"][(spells["start"] <= span.last) & (spells["end"] > span.last)])
        if figure == "rate":
            return Rate(len(opening - closing), len(opening))
        return {
            "opening": len(opening), "joining": len(_within(spells, span, "start")),
            "lost": len(_within(spells, span, "end")), "closing": len(closing),
        }[figure]  # fmt: skip

    return of_span


for _silence in ("rhythm", "window"):
    metric(f"churn_rate_by_{_silence}")(_by(_silence, "rate"))
    for _figure in ("opening", "joining", "lost", "closing"):
        metric(f"customers_{_figure}_by_{_silence}")(_by(_silence, _figure))


@metric("own_rhythm_share")
def own_rhythm_share(books: Books, span: Span) -> Figure:
    bought = _within(books.purchase_days, span)
    return Rate(int(bought["has_own_limit"].sum()), len(bought))


@metric("median_purchase_interval_days")
def median_purchase_interval_days(books: Books, span: Span) -> Figure:
    waits = _within(books.purchase_days, span)["interval"].dropna()
    return float(waits.median()) if len(waits) else None


@metric("mean_purchase_interval_days")
def mean_purchase_interval_days(books: Books, span: Span) -> Figure:
    waits = _within(books.purchase_days, span)["interval"].dropna()
    return round(float(waits.mean()), 4) if len(waits) else None


# Recurring revenue


def _movement(name: str) -> Metric:
    def of_span(books: Books, span: Span) -> Figure:
        if books.kind == "shop":
            return None
        return int(books.movements[name][span.first : span.last + 1].sum()) / UNIT

    return of_span


for _name in ("new", "expansion", "contraction", "churned", "reactivation", "paused", "resumed", "fx"):
    metric(f"mrr_{_name}")(_movement(_name))
metric("mrr_churned_involuntary")(_movement("churned_involuntary"))
metric("mrr_churned_in_pause")(_movement("churned_in_pause"))


@metric("mrr_churned_voluntary")
def mrr_churned_voluntary(books: Books, span: Span) -> Figure:
    days = slice(span.first, span.last + 1)
    if books.kind == "shop":
        return None
    return int((books.movements["churned"] - books.movements["churned_involuntary"])[days].sum()) / UNIT


@metric("mrr_opening")
def mrr_opening(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else _paid_before(books, span) / UNIT


def _paid_before(books: Books, span: Span) -> int:
    return int(books.value[:, span.first - 1].sum()) if span.first else 0


@metric("mrr_closing")
def mrr_closing(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int(books.value[:, span.last].sum()) / UNIT


@metric("arr")
def arr(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else 12 * int(books.value[:, span.last].sum()) / UNIT


@metric("mrr_scheduled_to_cancel")
def mrr_scheduled_to_cancel(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return int(books.value[books.prices["is_asked"][:, span.last] == 1, span.last].sum()) / UNIT


@metric("mrr_on_pause")
def mrr_on_pause(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return int(books.valued(span.last, span.last)[books.status[:, span.last] == words.PAUSED].sum()) / UNIT


@metric("paying_customers", "paying_subscriptions")
def paying_customers(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int((books.value[:, span.last] > 0).sum())


@metric("paused_customers", "customers_paused")
def paused_customers(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int((books.status[:, span.last] == words.PAUSED).sum())


@metric("paying_customers_opening")
def paying_customers_opening(books: Books, span: Span) -> Figure:
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


# Messages: by the month of sending, over recipients


def _of_recipients(numerator: str, denominator: str) -> Metric:
    def rate(books: Books, span: Span) -> Figure:
        sent = _within(books.recipients, span)
        return Rate(int(sent[numerator].sum()), int(sent[denominator].sum()))

    return rate


metric("delivery_rate")(_of_recipients("delivered", "sent"))
metric("bounce_rate")(_of_recipients("bounced", "sent"))
metric("open_rate", "open_rate_all")(_of_recipients("opened", "delivered"))  # no machine opens anything here
metric("click_rate")(_of_recipients("clicked", "delivered"))
metric("click_to_open_rate")(_of_recipients("clicked", "opened"))
metric("unsubscribe_rate")(_of_recipients("unsubscribed", "delivered"))


@metric("conversion_rate")
def conversion_rate(books: Books, span: Span) -> Figure:
    """The mailing system of the simulated businesses reports no conversions."""
    return Rate(0, int(_within(books.recipients, span)["delivered"].sum()))


# Collection: by the month of the first try


def _failed(books: Books, span: Span) -> pd.DataFrame:
    tried = _within(books.invoices, span)
    failed = tried[tried["has_failed"]].copy()
    if books.failure_code:
        failed = failed[failed["code"] == books.failure_code]
    failed["wait"] = failed["collected"] - failed["day"]
    failed["is_recovered"] = failed["wait"] <= books.rules.collection_days
    return failed


@metric("failed_payment_rate")
def failed_payment_rate(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    return Rate(len(_failed(books, span)), len(_within(books.invoices, span)))


@metric("recovery_rate")
def recovery_rate(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    failed = _failed(books, span)
    return Rate(int(failed["worth"][failed["is_recovered"]].sum()) / UNIT, int(failed["worth"].sum()) / UNIT)


@metric("invoice_recovery_rate")
def invoice_recovery_rate(books: Books, span: Span) -> Figure:
    if books.kind == "shop":
        return None
    failed = _failed(books, span)
    return Rate(int(failed["is_recovered"].sum()), len(failed))


def _days_to_recovery(quantile: float) -> Metric:
    def days(books: Books, span: Span) -> Figure:
        if books.kind == "shop":
            return None
        failed = _failed(books, span)
        waits = failed["wait"][failed["is_recovered"]]
        return round(float(np.quantile(waits, quantile)), 1) if len(waits) else None

    return days


metric("days_to_recovery_median")(_days_to_recovery(0.5))
metric("days_to_recovery_p90")(_days_to_recovery(0.9))


def _being_collected(books: Books, span: Span) -> pd.DataFrame:
    invoices, last = books.invoices, span.last
    is_tried = invoices["has_failed"] & (invoices["day"] <= last) & (invoices["collected"] > last)
    return invoices[is_tried & (last < invoices["day"] + books.rules.collection_days)]


@metric("unpaid_invoices")
def unpaid_invoices(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else len(_being_collected(books, span))


@metric("unpaid_invoice_amount")
def unpaid_invoice_amount(books: Books, span: Span) -> Figure:
    return None if books.kind == "shop" else int(_being_collected(books, span)["worth"].sum()) / UNIT


@metric("cards_expiring_next_month")
def cards_expiring_next_month(books: Books, span: Span) -> Figure:
    """Of active customers, by the card of the last try to collect."""
    if books.kind == "shop":
        return None
    tries = books.facts["payment_attempts"]
    cards = tries[tries["day"] <= span.last].sort_values(["at", "attempt"]).drop_duplicates("customer", keep="last")
    month = pd.Period(span.day, freq="M") + 1
    expires = pd.to_datetime(cards["card_expires"], unit="D").dt.to_period("M")
    return int((cards["customer"].isin(books.active_at(span.last)) & (expires == month)).sum())


# Support


@metric("tickets_opened")
def tickets_opened(books: Books, span: Span) -> Figure:
    return len(_within(books.tickets, span))


@metric("complaint_rate")
def complaint_rate(books: Books, span: Span) -> Figure:
    complaints = _within(books.tickets[books.tickets["kind"] == "complaint"], span)
    return Rate(len(complaints), len(books.active_at(span.first - 1)))


@metric("ticket_reopened_rate")
def ticket_reopened_rate(books: Books, span: Span) -> Figure:
    solved = _within(books.tickets, span, "solved_day")
    return Rate(int((solved["reopened"] > 0).sum()), len(solved))


def _hours(until: str, quantile: float) -> Metric:
    """From opening, by the month in which it was over."""

    def hours(books: Books, span: Span) -> Figure:
        over = _within(books.tickets, span, f"{until}_day")
        return float(np.quantile((over[until] - over["at"]) / 3600, quantile)) if len(over) else None

    return hours


for _until, _name in (("answered", "first_response"), ("solved", "resolution")):
    metric(f"{_name}_hours_median")(_hours(_until, 0.5))
    metric(f"{_name}_hours_p90")(_hours(_until, 0.9))


@metric("tickets_backlog")
def tickets_backlog(books: Books, span: Span) -> Figure:
    tickets = books.tickets
    return int((tickets["day"] <= span.last).sum() - tickets["solved_day"].between(0, span.last).sum())


@metric("ticket_csat")
def ticket_csat(books: Books, span: Span) -> Figure:
    solved = _within(books.tickets, span, "solved_day")
    rated = solved[solved["satisfaction"] >= 0]
    return Rate(int((rated["satisfaction"] == 1).sum()), len(rated))


# Surveys


def _answers(books: Books, span: Span, survey: str) -> pd.Series:
    answers = _within(books.answers, span)
    return answers["score"][answers["survey"] == survey]


def _net_promoters(scores: pd.Series) -> Figure:
    return Rate(int((scores >= 9).sum() - (scores <= 6).sum()), len(scores), scale=100)


@metric("nps_answers")
def nps_answers(books: Books, span: Span) -> Figure:
    return len(_answers(books, span, "nps"))


@metric("nps")
def nps(books: Books, span: Span) -> Figure:
    return _net_promoters(_answers(books, span, "nps"))


@metric("nps_last_response")
def nps_last_response(books: Books, span: Span) -> Figure:
    answers = books.answers[books.answers["survey"] == "nps"].sort_values(["at", "response"])
    window = _within(answers, Span(span.last - books.rules.nps_window_days + 1, span.last, span.day))
    return _net_promoters(window.drop_duplicates("customer", keep="last")["score"])


@metric("csat")
def csat(books: Books, span: Span) -> Figure:
    scores = _answers(books, span, "csat")
    return Rate(int((scores >= 4).sum()), len(scores))


@metric("ces")
def ces(books: Books, span: Span) -> Figure:
    scores = _answers(books, span, "ces")
    return float(scores.mean()) if len(scores) else None


@metric("ces_easy_rate")
def ces_easy_rate(books: Books, span: Span) -> Figure:
    scores = _answers(books, span, "ces")
    return Rate(int((scores >= 5).sum()), len(scores))


# Value: to date


def _active_year(books: Books, span: Span) -> tuple[float, int, int]:
    """Net revenue and orders of the active customers in the last 365 days, and how many they are."""
    active, year = books.active_at(span.last), Span(span.last - 364, span.last, span.day)
    lines, bought = _within(books.lines, year), _within(books.purchases, year)
    revenue = int(lines["worth"][lines["customer"].isin(active)].sum()) / UNIT
    return revenue, int(bought["customer"].isin(active).sum()), len(active)


@metric("average_basket_365d")
def average_basket_365d(books: Books, span: Span) -> Figure:
    revenue, orders, _ = _active_year(books, span)
    return Rate(revenue, orders)


@metric("purchase_frequency_365d")
def purchase_frequency_365d(books: Books, span: Span) -> Figure:
    _, orders, customers = _active_year(books, span)
    return Rate(orders, customers)


@metric("average_clv_historic")
def average_clv_historic(books: Books, span: Span) -> Figure:
    """Margin of all orders, and of what each subscription was worth on each of its days."""
    people = set(books.lives["customer"])
    bought = int(books.lines["worth"][books.lines["customer"].isin(people)].sum()) / UNIT
    paid = int(books.value.sum()) / UNIT * 12 / 365.25
    return Rate(books.rules.gross_margin * (bought + paid), len(people))


@metric("expected_lifetime_months")
def expected_lifetime_months(books: Books, span: Span) -> Figure:
    """One over the churn of the last twelve months that are over."""
    return Rate(*reversed(_churn_of_a_year(books)))


def _churn_of_a_year(books: Books) -> tuple[float, float]:
    rates = [customer_churn_rate(books, month) for month in books.months if books.is_over(month)][-12:]
    return (
        sum(rate.numerator for rate in rates if isinstance(rate, Rate)),
        sum(rate.denominator for rate in rates if isinstance(rate, Rate)),
    )


@metric("clv_textbook")
def clv_textbook(books: Books, span: Span) -> Figure:
    revenue, _, customers = _active_year(books, span)
    lost, opening = _churn_of_a_year(books)
    monthly = revenue / 12 + int(books.value[:, span.last].sum()) / UNIT
    return Rate(books.rules.gross_margin * monthly * opening, customers * lost)


def customers_in_state(books: Books, span: Span, state: str) -> Figure:
    return int((books.states[:, span.last] == state).sum())


def customers_moved(books: Books, span: Span, way: str) -> Figure:
    came, went = _on_way(books, span, way)
    return int((came & went).sum())


def transition_rate(books: Books, span: Span, way: str) -> Figure:
    came, went = _on_way(books, span, way)
    return None if way.startswith("none / ") else Rate(int((came & went).sum()), int(came.sum()))


def _on_way(books: Books, span: Span, way: str) -> tuple[np.ndarray, np.ndarray]:
    """Who is in the first state before the span, and who in the second at its end."""
    before = books.states[:, span.first - 1] if span.first else np.full(len(books.people), "")
    first, second = way.split(" / ")
    return before == ("" if first == "none" else first), books.states[:, span.last] == second


BY_SEGMENT: dict[str, Callable[[Books, Span, str], Figure]] = {
    "customers_in_state": customers_in_state,
    "customers_moved": customers_moved,
    "transition_rate": transition_rate,
}
"""Metric → function that computes it for a segment that is no group of customers."""

UNKNOWN: dict[str, str] = {
    "average_health_score": "a weighted score of the pipeline's own, tested by its unit tests",
    "customers": "counts records, those of unexplained support ids included",
    **dict.fromkeys(
        ("churn_events", "churn_cause_share"), "causes are read from texts and the reasons that people give"
    ),
    **dict.fromkeys(("texts", "negative_text_rate", "sentiment_mean"), "themes and moods of texts come from a model"),
    **dict.fromkeys(
        ("winback_rate", "winback_lift", "winback_cost_per_customer", "winback_profit_per_head", "control_return_rate"),
        "nobody has been contacted yet",
    ),
    **dict.fromkeys(("csat_response_rate", "nps_response_rate"), "no messages are known to ask for an answer"),
}
"""Metric → why the books of the simulator cannot know it."""

ROUNDED = {"money": 5.1e-5, "hours": 1.1e-4, "score": 5.1e-5, "points": 5.1e-5}
"""Unit → how far apart two figures may be because one is rounded; else a millionth."""


DIGITS = {
    "average_basket_365d": 2, "average_clv_historic": 2, "clv_textbook": 2, "expected_lifetime_months": 2,
    "purchase_frequency_365d": 4,
}  # fmt: skip
"""Metric → digits to which it is published, where they are fewer than its unit has."""


def differs(figure: Figure, value: float | None, unit: str = "", digits: int | None = None) -> bool:
    """Whether a published value is not the one of the books."""
    own = figure.value if isinstance(figure, Rate) else figure
    if own is None or value is None:
        return (own is None) != (value is None)
    # Sums of money are compared to the ten-thousandth, however large.
    relative = 0.0 if unit in ("money", "count") else 1e-6
    absolute = ROUNDED.get(unit, 1e-6) if digits is None else 0.51 * 10.0**-digits
    return not np.isclose(float(own), float(value), rtol=relative, atol=absolute)


@dataclass(frozen=True)
class Compared:
    """What came of it.

    Args:
        figures: How many figures both sides have.
        differences: One line for each metric and mart that differs, with its first figures.
        unknown: Metrics that have neither a function nor a reason.
    """

    figures: int
    differences: list[str]
    unknown: set[str]


def compare(books: Books, values: pd.DataFrame, units: Mapping[str, str]) -> Compared:
    """The rows of `metric_values` beside the books: of everybody, and of the segments that the books know.

    A figure that is missing must be missing in the books too, unless its period is not complete yet.
    """
    values = values.assign(day=pd.to_datetime(values["day"]).dt.date, value=_floats(values["value"]))
    figures, differences, unknown = 0, [], set()
    for (mart, period, dimension), rows in values.groupby(["mart", "period", "dimension"]):
        for segment, of_segment in rows.groupby("segment"):
            own = _books_of(books, dimension, segment)
            complete = of_segment.groupby("day")["is_complete"].all()
            for metric, published in of_segment.groupby("metric"):
                if metric in BY_SEGMENT:
                    function, of_whom = partial(_of_segment, BY_SEGMENT[metric], segment), books
                elif metric in METRICS:
                    function, of_whom = METRICS[metric], own
                else:
                    unknown |= {metric} - set(UNKNOWN)
                    continue
                if of_whom is None:
                    continue
                found = list(_differences(of_whom, period, function, published, complete, units))
                figures += len(published)
                if found:
                    where = f"{mart}.{metric} ({period}, {dimension} {segment})"
                    differences.append(f"{where}: {len(found)} of {len(published)} differ: {'; '.join(found[:3])}")
    return Compared(figures, differences, unknown)


def _of_segment(function: Callable[[Books, Span, str], Figure], segment: str, books: Books, span: Span) -> Figure:
    return function(books, span, segment)


def _books_of(books: Books, dimension: str, segment: str) -> Books | None:
    """The books of a segment; None for a dimension that the books do not tell apart."""
    if dimension == "all" or (dimension, segment) == ("channel", "email"):  # there are no messages but e-mails
        return books
    if dimension in ("country", "acquisition_channel", "company_size", "industry"):
        return books.segments(dimension).get(segment)
    if dimension == "failure_code":
        return replace(books, failure_code=segment)
    return None


def _differences(
    books: Books, period: str, metric: Metric, published: pd.DataFrame, complete: pd.Series, units: Mapping[str, str]
) -> Iterator[str]:
    by_day = {row.day: row for row in published.itertuples()}
    name = published["metric"].iloc[0]
    for span in books.spans(period):
        if span.day not in complete.index:
            continue
        row, own = by_day.get(span.day), metric(books, span)
        if row is None and isinstance(metric, partial) and not (own.numerator if isinstance(own, Rate) else own):
            continue  # a state in which nobody is has no row
        value = None if row is None or np.isnan(row.value) else row.value
        if value is None and not complete[span.day]:
            continue
        if differs(own, value, units.get(name, ""), DIGITS.get(name)):
            yield f"{span.day}: {value} instead of {own.value if isinstance(own, Rate) else own}"
        elif isinstance(own, Rate) and row is not None:
            for part in ("numerator", "denominator"):
                told = getattr(row, part)
                if not pd.isna(told) and differs(getattr(own, part), float(told), "money"):
                    yield f"{span.day}: {part} {told} instead of {getattr(own, part)}"


def _floats(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype(float)
