"""The books of a simulated business: what it knows of itself, laid out by customer and day.

Read from the truth alone: facts as they happened (`activity/`), where the subscriptions stood (`standing/`), why they
ended (`endings/`). Nothing comes from the exports or from the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.comparing import UNDECIDED_CAUSES
from retention_pipeline.simulator.market import fx_value
from retention_pipeline.simulator.simulation import Simulation
from retention_pipeline.warehouse import ISO_WEEKDAY
from retention_pipeline.workspace.schema import Retention

DAY = 86_400
ZONE = "Europe/Paris"
"""Where the simulated businesses are: an answer of the late evening may belong to the next day."""
NEVER = 10**6
"""A day that does not come."""


@dataclass(frozen=True)
class Rules:
    """What the business configures, where a metric depends on it."""

    inactivity_days: int
    early_days: int
    gross_margin: float
    week_starts_on: int
    """1 for Monday."""
    collection_days: int
    nps_window_days: int
    rhythm_percentile: int
    rhythm_min_intervals: int

    @classmethod
    def of(cls, config: Retention) -> Rules:
        assert config.churn.dunning_grace_days == 0, "the books know no grace"
        return cls(
            inactivity_days=config.churn.inactivity_days,
            early_days=config.churn.early_days,
            gross_margin=config.value.gross_margin,
            week_starts_on=ISO_WEEKDAY[config.week_starts_on],
            collection_days=config.engagement.collection_days,
            nps_window_days=config.voice.nps_window_days,
            rhythm_percentile=config.churn.rhythm_percentile,
            rhythm_min_intervals=config.churn.rhythm_min_intervals,
        )


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both inclusive, as numbers; `day` names the span in the marts."""

    first: int
    last: int
    day: date


@dataclass(frozen=True, eq=False, repr=False)
class Books:
    """What a simulated business knows of itself; days are counted from its first day.

    Args:
        kind: `saas` or `shop`.
        first_day: The date of day 0.
        days: Days in the books.
        people: A row a customer, test accounts left out: number, signup, country, acquisition channel, currency.
        facts: Feed → its facts, with `day` beside the moment `at`.
        status: Where each subscription stands, by customer and day.
        plan: Its plan, by customer and day.
        value: What it is worth a month in ten-thousandths of business currency, by customer and day.
        told: The movements of recurring revenue that the simulator tells by day, in ten-thousandths.
        endings: Every end, with the days on which it happened and is known.
        rules: What the business configures.
        rates: Hundred-millionths of business currency, by day and currency.
        failure_code: Only invoices that failed with it count as failed; all do by default.
    """

    kind: str
    first_day: date
    days: int
    people: pd.DataFrame
    facts: dict[str, pd.DataFrame]
    status: np.ndarray
    plan: np.ndarray
    value: np.ndarray
    told: pd.DataFrame
    endings: pd.DataFrame
    rules: Rules
    rates: np.ndarray
    failure_code: str = ""

    @classmethod
    def read(cls, simulation: Simulation, truth: Path, rules: Rules) -> Books:
        """The books of a simulation that has ended and told its activity."""
        world = simulation.world
        days, first_day = world.day + 1, world.calendar.first_day
        epoch = (first_day - date(1970, 1, 1)).days
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            facts = {
                folder.name: con.execute(f"FROM '{folder}/*.parquet'").df()
                for folder in sorted((truth / "activity").iterdir())
            }
            endings = con.execute(f"FROM '{truth}/endings/*.parquet'").df()
            standing, told = (
                con.execute(f"FROM '{truth}/{table}/*.parquet' ORDER BY day").df()
                if world.knobs.kind == "saas"
                else pd.DataFrame()
                for table in ("standing", "mrr_by_day")
            )
        people = facts["customers"].drop_duplicates("customer", keep="last").set_index("customer").sort_index()
        people = people[~people["is_test"]]
        people["signup"] = _days_of(people["at"], first_day)
        people["currency"] = people["country"].map(words.COUNTRY_CURRENCY.__getitem__)
        for name, rows in facts.items():
            if "customer" in rows:
                facts[name] = rows = rows[rows["customer"].isin(people.index)].copy()
            if "at" in rows:
                rows["day"] = _days_of(rows["at"], first_day)
            elif "day" in rows:
                rows["day"] -= epoch
        everybody = len(world.column("signup"))
        status, plan, value = (np.zeros((everybody, days), dtype=np.int64) for _ in range(3))
        if len(standing):
            for name in told.columns.drop(["day", "customers"]):
                told[name] = _ten_thousandths(told[name])
            standing["day"] = _day_numbers(standing["day"], first_day)
            standing["customer"] = standing["customer_id"].str[1:].astype(int)
            states = ("none", "pending", "trial", "paid", "paused", "ended")
            standing["state"] = standing["status"].map(states.index)
            standing["size"] = standing["plan"].map(words.PLANS.index)
            standing["worth"] = _ten_thousandths(standing["value"])
            for array, column in ((status, "state"), (plan, "size"), (value, "worth")):
                array[:] = _by_day(standing, column, everybody, days)
        endings["customer"] = endings["customer_id"].str[1:].astype(int)
        for name in ("happened_on", "known_on"):
            endings[name] = _day_numbers(endings[name], first_day)
        undecided = (endings["end_kind"] == "cancelled") & endings["cause"].isin(UNDECIDED_CAUSES)
        endings.loc[undecided, "end_kind"] = "involuntary"
        kept = people.index.to_numpy()
        return cls(
            world.knobs.kind, first_day, days, people.assign(row=np.arange(len(people))), facts,
            status[kept], plan[kept], value[kept], told, endings, rules, world.rates[:days],
        )  # fmt: skip

    def only(self, customers: pd.Index) -> Books:
        """The books of some customers."""
        rows = self.people.loc[customers, "row"].to_numpy()
        facts = {
            name: table[table["customer"].isin(customers)] if "customer" in table else table
            for name, table in self.facts.items()
        }
        return replace(
            self, people=self.people.loc[customers].assign(row=np.arange(len(rows))), facts=facts,
            status=self.status[rows], plan=self.plan[rows], value=self.value[rows],
            endings=self.endings[self.endings["customer"].isin(customers)],
        )  # fmt: skip

    def segments(self, dimension: str) -> dict[str, Books]:
        """The books of the customers of each segment of a dimension."""
        if dimension not in self._segments:
            codes, names = {
                "country": ("country", words.COUNTRIES), "acquisition_channel": ("acquisition", words.ACQUISITION),
                "company_size": ("size", words.COMPANY_SIZES), "industry": ("industry", words.INDUSTRIES),
            }[dimension]  # fmt: skip
            self._segments[dimension] = {
                names[code]: self.only(rows.index) for code, rows in self.people.groupby(codes)
            }
        return self._segments[dimension]

    @cached_property
    def _segments(self) -> dict[str, dict[str, Books]]:
        return {}

    # Time

    def date_of(self, day: int) -> date:
        return self.first_day + timedelta(days=int(day))

    def number_of(self, day: date) -> int:
        return (day - self.first_day).days

    @cached_property
    def months(self) -> list[Span]:
        """Calendar months; the last one may not be over."""
        spans, start = [], self.first_day.replace(day=1)
        while self.number_of(start) < self.days:
            after = (start + timedelta(days=32)).replace(day=1)
            spans.append(Span(max(self.number_of(start), 0), min(self.number_of(after), self.days) - 1, start))
            start = after
        return spans

    @cached_property
    def weeks(self) -> list[Span]:
        back = (self.first_day.isoweekday() - self.rules.week_starts_on) % 7
        return [
            Span(max(start, 0), min(start + 6, self.days - 1), self.date_of(start))
            for start in range(-back, self.days, 7)
        ]

    def is_over(self, month: Span) -> bool:
        """Whether a month had ended by the last day."""
        return self.date_of(month.last + 1).day == 1

    def spans(self, period: str) -> Iterator[Span]:
        """The spans of a period that a mart may name."""
        if period == "month":
            yield from self.months
        elif period == "week":
            yield from self.weeks
        else:
            first = {"day": lambda day: day, "rolling_30d": lambda day: day - 29, "to_date": lambda day: 0}[period]
            for day in range(self.days):
                yield Span(first(day), day, self.date_of(day))

    # Customers

    @cached_property
    def lives(self) -> pd.DataFrame:
        """Periods of activity: customer, number, start, the day from which the end is known, when and how it ended.

        Active are those who pay or pause, or, in a shop, those of whom something was seen within `inactivity_days`.
        """
        found = self._contracts() if self.kind == "saas" else self._silences()
        lives = pd.DataFrame(found, columns=["customer", "start", "end", "happened", "kind"])
        lives = lives.sort_values(["customer", "start"], ignore_index=True)
        lives["number"] = lives.groupby("customer").cumcount() + 1
        lives["first"] = lives.groupby("customer")["start"].transform("min")
        lives["is_over"] = lives["end"] < self.days
        lives["is_early"] = lives["is_over"] & (lives["happened"] - lives["first"] <= self.rules.early_days)
        return lives

    def _contracts(self) -> Iterator[tuple[int, int, int, int, str]]:
        ends = {(row.customer, row.happened_on): (row.known_on, row.end_kind) for row in self.endings.itertuples()}
        active = np.isin(self.status, (words.PAID, words.PAUSED))
        for customer, row in zip(self.people.index, active, strict=True):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
            for start, happened in zip(edges[::2], edges[1::2], strict=True):
                # Nobody comes back within days of the end, so no end is a change of plan.
                known, kind = (NEVER, "") if happened == self.days else ends[customer, happened]
                yield customer, int(start), int(known), int(happened), kind

    def _silences(self) -> Iterator[tuple[int, int, int, int, str]]:
        limit = self.rules.inactivity_days
        for customer, days in self.seen.groupby("customer")["day"]:
            days = np.unique(days)
            cuts = np.flatnonzero(np.diff(days) > limit)
            for start, last in zip(days[[0, *(cuts + 1)]], days[[*cuts, -1]], strict=True):
                yield int(customer), int(start), int(last + limit), int(last), "inactivity"

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Customers and days with a purchase, use or an event."""
        parts = [self.facts["events"], self.purchases]
        if "usage" in self.facts:
            parts.append(self.facts["usage"])
        return pd.concat([part[["customer", "day"]] for part in parts]).drop_duplicates()

    @cached_property
    def active(self) -> np.ndarray:
        """Whether a customer is active at the end of a day, by customer and day."""
        active = np.zeros((len(self.people), self.days), dtype=bool)
        rows = self.people["row"]
        for life in self.lives.itertuples():
            active[rows[life.customer], life.start : min(life.end, self.days)] = True
        return active

    def active_at(self, day: int) -> frozenset[int]:
        """Customers who are active at the end of a day."""
        if day not in self._active_at:
            self._active_at[day] = frozenset(self.people.index[self.active[:, day]] if day >= 0 else ())
        return self._active_at[day]

    @cached_property
    def _active_at(self) -> dict[int, frozenset[int]]:
        return {}

    @cached_property
    def states(self) -> np.ndarray:
        """The state of the lifecycle of each customer at the end of each day; empty before they come.

        While a period runs: on pause, notice given, the first 30 days, silent for more than three quarters or half of
        `inactivity_days`, else active. Outside of one: what waits, or how it ended.
        """
        days, limit = np.arange(self.days), self.rules.inactivity_days
        states = np.full((len(self.people), self.days), "prospect", dtype="<U24")
        states[days < self.people["signup"].to_numpy()[:, None]] = ""
        rows = self.people["row"]
        for kind in ("cancelled_before_start", "trial_not_converted"):
            for end in self.endings[self.endings["end_kind"] == kind].itertuples():
                states[rows[end.customer], end.happened_on :] = kind
        seen = np.where(self.sightings, days, -NEVER)
        first_days, paused = np.full(states.shape, ""), self.status == words.PAUSED
        first_days = first_days.astype("<U24")
        for life in self.lives.itertuples():
            row = rows[life.customer]
            seen[row, life.start] = life.start
            states[row, life.end :] = "churned"
            states[row, life.start : life.end] = "active"
            first_days[row, life.start : min(life.end, life.start + 30)] = "new" if life.number == 1 else "reactivated"
        back = np.zeros(paused.shape, dtype=bool)
        back[:, 1:] = paused[:, :-1] & ~paused[:, 1:]
        seen = np.maximum.accumulate(np.where(back, days, seen), axis=1)
        active = states == "active"
        for at_least, state in ((limit // 2, "at_risk"), (3 * limit // 4, "dormant")):
            states[active & (days - seen > at_least)] = state
        states = np.where(active & (first_days != ""), first_days, states)
        if self.kind == "saas":
            states[active & (self.prices["is_asked"] == 1)] = "at_risk"
            states[active & paused] = "paused"
            states[self.status == words.TRIAL] = "trial"
            states[self.status == words.PENDING] = "pending"
        return states

    @cached_property
    def sightings(self) -> np.ndarray:
        """Whether something was seen of a customer on a day, by customer and day."""
        sightings = np.zeros((len(self.people), self.days), dtype=bool)
        sightings[self.people["row"].loc[self.seen["customer"]], self.seen["day"]] = True
        return sightings

    # Money

    @cached_property
    def prices(self) -> dict[str, np.ndarray]:
        """By customer and day: price, discount and months of the interval, whether a request to cancel is open."""
        versions = self.facts["subscriptions"].drop_duplicates(["customer", "day"], keep="last")
        epoch = (self.first_day - date(1970, 1, 1)).days
        versions = versions.assign(
            gross=versions["price"] * versions["seats"],
            discount_day=np.where(versions["discount_ends"] < 0, -1, versions["discount_ends"] // DAY - epoch),
            is_asked=versions["requested"] >= 0,
        )  # fmt: skip
        size, kept = int(self.people.index.max()) + 1, self.people.index.to_numpy()
        columns = ("gross", "discount", "discount_day", "months", "is_asked")
        prices = {name: _by_day(versions, name, size, self.days)[kept] for name in columns}
        prices["discount"] = np.where(prices.pop("discount_day") > np.arange(self.days), prices["discount"], 0)
        prices["months"] = np.maximum(prices["months"], 1)
        return prices

    def valued(self, day: int, rate_day: int) -> np.ndarray:
        """What each subscription costs a month at the end of a day, at the rates of another, whether paid or not."""
        rate = self.rates[rate_day, self.people["currency"]]
        months = self.prices["months"][:, day]
        gross, discount = self.prices["gross"][:, day], self.prices["discount"][:, day]
        return fx_value(gross, rate, months) - fx_value(discount, rate, months)

    def paid(self, day: int, rate_day: int) -> np.ndarray:
        """Monthly recurring revenue of each customer at the end of a day, at the rates of another."""
        if day < 0:
            return np.zeros(len(self.people), dtype=np.int64)
        return np.where(self.status[:, day] == words.PAID, self.valued(day, rate_day), 0)

    @cached_property
    def movements(self) -> pd.DataFrame:
        """Movements of recurring revenue by day, in ten-thousandths: each at the rate of its day."""
        rows = []
        first_paid = np.argmax(self.value > 0, axis=1)
        undecided = {
            (row.customer, row.happened_on) for row in self.endings.itertuples() if row.end_kind == "involuntary"
        }
        for day in range(self.days):
            opening, before, after = self.paid(day - 1, max(day - 1, 0)), self.paid(day - 1, day), self.paid(day, day)
            delta = after - before
            begins, stops, both = (before == 0) & (after > 0), (before > 0) & (after == 0), (before > 0) & (after > 0)
            was_paused = self.status[:, max(day - 1, 0)] == words.PAUSED
            paused, ended = self.status[:, day] == words.PAUSED, self.status[:, day] == words.ENDED
            unasked = np.array([(customer, day) in undecided for customer in self.people.index])
            in_pause = was_paused & ended
            rows.append(
                {
                    "new": delta[begins & ~was_paused & (first_paid == day)].sum(),
                    "expansion": delta[both & (delta > 0)].sum(),
                    "contraction": -delta[both & (delta < 0)].sum(),
                    "churned": -delta[stops & ~paused].sum(),
                    "reactivation": delta[begins & ~was_paused & (first_paid < day)].sum(),
                    "paused": -delta[stops & paused].sum(),
                    "resumed": delta[begins & was_paused].sum(),
                    "fx": (before - opening).sum(),
                    "churned_involuntary": -delta[stops & ~paused & unasked].sum(),
                    "churned_in_pause": self.valued(max(day - 1, 0), day)[in_pause].sum(),
                }
            )
        return pd.DataFrame(rows)

    def converted(self, amounts: pd.Series, days: pd.Series, currencies: pd.Series) -> pd.Series:
        """Amounts in ten-thousandths of business currency at the rate of the day, rounded half away from zero."""
        scaled = amounts.to_numpy(dtype=object) * self.rates[days, currencies].astype(object)
        cents = [(abs(value) + 50_000_000) // 100_000_000 * (1 if value >= 0 else -1) for value in scaled]
        return pd.Series(np.array(cents, dtype=np.int64), index=amounts.index)

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Order lines with their net value in business currency."""
        lines = self.facts["order_lines"].copy()
        amount = lines["quantity"] * lines["unit_price"] - np.sign(lines["quantity"]) * lines["discount"]
        lines["worth"] = self.converted(amount, lines["day"], lines["currency"])
        lines["kind"] = lines["kind"].map(dict(enumerate(words.LINE_KINDS)))
        return lines

    def earned(self, row: int, days: range) -> int:
        """The monthly values of a customer over some days, added up; a price counts at the rate of its first one."""
        if self.kind == "shop":
            return 0
        names = [self.status, self.plan, *self.prices.values()]
        total, since = 0, days.start
        for day in days:
            if any(values[row, day] != values[row, since] for values in names):
                since = day
            if self.status[row, day] == words.PAID:
                total += int(self.valued(day, since)[row])
        return total

    @cached_property
    def bought(self) -> np.ndarray:
        """Net value of the order lines of a customer on a day, in ten-thousandths, by customer and day."""
        bought = np.zeros((len(self.people), self.days), dtype=np.int64)
        places = self.people["row"].loc[self.lines["customer"]].to_numpy(), self.lines["day"].to_numpy()
        np.add.at(bought, places, self.lines["worth"].to_numpy())
        return bought

    @cached_property
    def purchase_days(self) -> pd.DataFrame:
        """Days on which customers bought, and for how long they may then be silent by the rhythm known on that day.

        With enough intervals that is the percentile of their own; else that of all intervals that were over before the
        month.
        """
        days = self.purchases[["customer", "day"]].drop_duplicates().sort_values(["customer", "day"], ignore_index=True)
        days["interval"] = days.groupby("customer")["day"].diff()
        days["next"] = days.groupby("customer")["day"].shift(-1)
        pooled: dict[int, float] = {}
        for span in self.months:
            over = np.sort(days["interval"][days["day"] < span.first].dropna())
            limit = _percentile(over, self.rules.rhythm_percentile) if len(over) else self.rules.inactivity_days
            pooled |= dict.fromkeys(range(span.first, span.last + 1), limit)
        own, has_own = [], []
        for _, intervals in days.groupby("customer")["interval"]:
            for number in range(len(intervals)):
                known = np.sort(intervals.iloc[1 : number + 1])
                has_own.append(len(known) >= self.rules.rhythm_min_intervals)
                own.append(_percentile(known, self.rules.rhythm_percentile) if has_own[-1] else np.nan)
        days["has_own_limit"] = has_own
        days["limit"] = np.where(has_own, own, days["day"].map(pooled))
        return days

    def spells(self, silence: str) -> pd.DataFrame:
        """Purchases without a silence longer than the `rhythm` or the `window` allows: customer, start, end."""
        days = self.purchase_days
        limit = days["limit"] if silence == "rhythm" else self.rules.inactivity_days
        ends = days["day"] + limit
        is_last = days["next"].isna() | (days["next"] - days["day"] > limit)
        begins = is_last.groupby(days["customer"]).shift(1, fill_value=True)
        return pd.DataFrame(
            {
                "customer": days["customer"][begins].to_numpy(), "start": days["day"][begins].to_numpy(),
                "end": ends[is_last].to_numpy(),
            }
        )  # fmt: skip

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """Orders in which something was bought: customer, day, and the worth of what was bought."""
        bought = self.lines[self.lines["kind"] == "purchase"]
        return bought.groupby("order_id").agg(
            customer=("customer", "first"), day=("day", "first"), worth=("worth", "sum")
        )  # fmt: skip

    # Messages, collection, support, surveys

    @cached_property
    def recipients(self) -> pd.DataFrame:
        """Customers in campaigns: the day of the first message, and whether each thing became of one of them."""
        events = self.facts["messages"]
        events = events.assign(what=events["event"].map(dict(enumerate(words.MESSAGE_EVENTS))))
        keys = ["campaign", "list_id", "customer"]
        happened = events.pivot_table(index=keys, columns="what", values="at", aggfunc="count", fill_value=0) > 0
        happened["day"] = events.groupby(keys)["day"].min()
        return happened

    @cached_property
    def invoices(self) -> pd.DataFrame:
        """Invoices: customer, day of the first try, whether it failed, day of success, worth at the first rate."""
        tries = self.facts["payment_attempts"].sort_values(["at", "attempt"])
        first = tries.drop_duplicates("invoice").set_index("invoice")
        paid = tries[tries["code"] < 0].drop_duplicates("invoice").set_index("invoice")
        return pd.DataFrame(
            {
                "customer": first["customer"],
                "day": first["day"],
                "code": first["code"].map(dict(enumerate(words.DECLINES))),
                "has_failed": first["code"] >= 0,
                "collected": paid["day"].reindex(first.index).fillna(NEVER).astype(int),
                "worth": self.converted(first["amount"], first["day"], first["currency"]),
            }
        )

    @cached_property
    def tickets(self) -> pd.DataFrame:
        """Tickets as they stand at the end, by the day on which they were opened."""
        tickets = self.facts["tickets"].drop_duplicates("ticket", keep="last").copy()
        tickets["kind"] = tickets["kind"].map(dict(enumerate(words.TICKET_KINDS)))
        for name in ("answered", "solved"):
            tickets[f"{name}_day"] = _days_of(tickets[name], self.first_day).where(tickets[name] >= 0, -1 - NEVER)
        return tickets

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Answers to surveys."""
        answers = self.facts["survey_responses"].copy()
        answers["survey"] = answers["survey"].map(dict(enumerate(words.SURVEYS)))
        return answers


def _percentile(ascending: np.ndarray, percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    return float(ascending[-(-percent * len(ascending) // 100) - 1])


def _ten_thousandths(money: pd.Series) -> pd.Series:
    return (money.astype(float) * 10_000).round().astype(np.int64)


def _by_day(rows: pd.DataFrame, column: str, customers: int, days: int) -> np.ndarray:
    """What the last row until each day says, by customer and day; 0 before the first."""
    wide = rows.pivot(index="customer", columns="day", values=column)
    wide = wide.reindex(index=range(customers), columns=range(days)).ffill(axis=1).fillna(0)
    return wide.to_numpy(dtype=np.int64)


def _days_of(moments: pd.Series, first_day: date) -> pd.Series:
    """The number of the business day of seconds since 1970."""
    local = pd.to_datetime(moments, unit="s", utc=True).dt.tz_convert(ZONE).dt.tz_localize(None)
    return (local.dt.normalize() - pd.Timestamp(first_day)).dt.days


def _day_numbers(dates: pd.Series, first_day: date) -> pd.Series:
    return (pd.to_datetime(dates) - pd.Timestamp(first_day)).dt.days
