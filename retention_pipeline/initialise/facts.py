"""What the exports say about the business itself: kind, currency, first day, and settings that fit their length."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import ACTIVITY_FEEDS, CONTRACTS
from retention_pipeline.feeds.presets import expanded
from retention_pipeline.initialise.fallbacks import EMAIL_SOURCE
from retention_pipeline.initialise.proposals import Proposal
from retention_pipeline.initialise.trial import NO_CURRENCY, Outcome
from retention_pipeline.quoting import identifier

_LONGEST_GAP = timedelta(days=366)
_ABSURD_SHARE = 0.001
_MONEY_FEEDS = (("order_lines", "subscriptions"), ("invoices", "payment_attempts"))
"""Where the currency of the business is looked for: where its revenue comes from first."""
_BILLING = ("subscriptions", "invoices", "payment_attempts")
_LONG_ENOUGH = 400
_FEW_GAPS = 100


@dataclass(frozen=True)
class Facts:
    """The top of a `retention.yaml`.

    Attributes:
        business, title, kind, currency, language, salt: As there.
        currency_note: Where the currency comes from.
        first_day, last_day: First and last day of activity; None where no activity was loaded.
        primary: `identity.primary`; None for the ids of the business's own system.
        has_money: Whether any row holds a price or an amount.
        inactivity_days, history_days, horizon_days: Settings that differ from the defaults; None where they fit.
        feeds: Feeds with at least one live mapping.
    """

    business: str
    title: str
    kind: str
    currency: str
    currency_note: str
    language: str
    salt: str
    first_day: date | None
    last_day: date | None
    primary: str | None
    has_money: bool
    inactivity_days: int | None
    history_days: int | None
    horizon_days: int | None
    feeds: tuple[str, ...]


def find_facts(con: DuckDBPyConnection, folder: Path, outcomes: Sequence[Outcome]) -> Facts:
    """What the loaded rows of a trial say."""
    live = [outcome for outcome in outcomes if not outcome.proposal.obstacle]
    feeds = tuple(feed for feed in CONTRACTS if any(outcome.proposal.feed == feed for outcome in live))
    first, last = activity_days(con, feeds)
    currency, currency_note = _currency(con, feeds)
    span = (last - first).days if first and last else 0
    short = first is not None and span < _LONG_ENOUGH
    kind, inactivity = _kind(feeds), _inactivity_days(con, feeds)
    # A horizon that is shorter than the silence which counts as a loss would only count its days down.
    horizon = (inactivity or 90) if kind == "transactional" else None
    return Facts(
        business=business_name(folder),
        title=re.sub(r"[\s_-]+", " ", folder.resolve().name).strip().capitalize() or "My business",
        kind=kind,
        currency=currency,
        currency_note=currency_note,
        language=_language([outcome.proposal for outcome in live]),
        salt=secrets.token_urlsafe(24),
        first_day=first,
        last_day=last,
        primary=_primary(live),
        has_money=_has_money(con, feeds),
        inactivity_days=inactivity,
        history_days=max(1, min(180, span // 3)) if short else None,
        horizon_days=max(1, min(horizon or 60, span // 6)) if short else horizon,
        feeds=feeds,
    )


def business_name(folder: Path) -> str:
    """A short name from that of the folder."""
    plain = unicodedata.normalize("NFKD", folder.resolve().name)
    words = re.sub(r"[^a-z0-9]+", "_", "".join(c for c in plain if not unicodedata.combining(c)).lower()).strip("_")
    if not words:
        return "business"
    return (words if words[0].isalpha() else f"business_{words}")[:63].rstrip("_")


def _kind(feeds: Sequence[str]) -> str:
    if "subscriptions" in feeds:
        return "hybrid" if "order_lines" in feeds else "subscription"
    return "transactional"


def activity_days(con: DuckDBPyConnection, feeds: Sequence[str]) -> tuple[date | None, date | None]:
    """First and last day of activity. A few absurd days, far before all others, do not count."""
    days: Counter[date] = Counter()
    for feed in ACTIVITY_FEEDS:
        time = CONTRACTS[feed].time
        if feed in feeds and time is not None:
            found = con.execute(
                f"SELECT {identifier(time)}::DATE AS day, count(*) FROM raw.{identifier(feed)} "
                f"WHERE {identifier(time)} IS NOT NULL GROUP BY day"
            ).fetchall()
            days.update(dict(found))
    if not days:
        return None, None
    ordered = sorted(days)
    limit, seen, place = sum(days.values()) * _ABSURD_SHARE, 0, 0
    for place, day in enumerate(ordered):  # noqa: B007
        seen += days[day]
        if seen > limit:
            break
    while place and ordered[place] - ordered[place - 1] <= _LONGEST_GAP:
        place -= 1
    return ordered[place], ordered[-1]


def _currency(con: DuckDBPyConnection, feeds: Sequence[str]) -> tuple[str, str]:
    counts: Counter[str] = Counter()
    for group in _MONEY_FEEDS:
        for feed in set(group) & set(feeds):
            found = con.execute(
                f"SELECT currency, count(*) FROM raw.{identifier(feed)} WHERE currency <> ? GROUP BY currency",
                [NO_CURRENCY],
            ).fetchall()
            counts.update(dict(found))
        if counts:
            break
    if not counts:
        return "EUR", "SET THIS: no export names a currency"
    currency, count = max(counts.items(), key=lambda item: (item[1], item[0]))
    others = sorted(set(counts) - {currency})
    if not others:
        return currency, "the currency of all rows that name one"
    shown = ", ".join(others[:6]) + (" ..." if len(others) > 6 else "")
    share = 100 * count / sum(counts.values())
    return currency, f"of {share:.0f} % of the rows that name one; {shown} need the feed fx_rates"


def _language(proposals: Sequence[Proposal]) -> str:
    counts: Counter[str] = Counter()
    for proposal in proposals:
        counts.update(proposal.languages)
    if not counts:
        return "en"
    language, count = counts.most_common(1)[0]
    return language if count >= 0.5 * sum(counts.values()) else "en"


def _primary(live: Sequence[Outcome]) -> str | None:
    """The source of subscriptions, else of bills, else of orders; the system with the most rows."""
    for feed in (*_BILLING, "order_lines", "usage", "events"):
        counts: Counter[str | None] = Counter()
        for outcome in live:
            if outcome.proposal.feed == feed:
                source = expanded(outcome.proposal.mappings[0]).get("source")
                counts[source] += outcome.rows_loaded
        if counts:
            source = max(counts, key=lambda name: (counts[name], name or ""))
            # The hash of an address is how systems are joined, not how a business calls its customers.
            return None if source == EMAIL_SOURCE else source
    return None


def _has_money(con: DuckDBPyConnection, feeds: Sequence[str]) -> bool:
    for feed, amount in (("order_lines", "unit_price"), ("subscriptions", "price")):
        if feed in feeds:
            found = con.execute(f"SELECT count(*) FROM raw.{feed} WHERE {amount} > 0 LIMIT 1").fetchall()
            if found[0][0]:
                return True
    return False


def _inactivity_days(con: DuckDBPyConnection, feeds: Sequence[str]) -> int | None:
    """Nine of ten orders follow the one before within so many days, in tens; None where too few say so."""
    if "order_lines" not in feeds:
        return None
    gaps, days = con.execute(
        "SELECT count(*), quantile_cont(gap, 0.9) FROM (SELECT day - lag(day) OVER (PARTITION BY customer_id "
        "ORDER BY day) AS gap FROM (SELECT DISTINCT customer_id, ordered_at::DATE AS day FROM raw.order_lines "
        "WHERE customer_id IS NOT NULL AND quantity > 0)) WHERE gap IS NOT NULL"
    ).fetchall()[0]
    if gaps < _FEW_GAPS:
        return None
    return int(min(365, max(30, round(days / 10) * 10)))
