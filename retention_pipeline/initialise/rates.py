"""Rough exchange rates where exports in several currencies bring none: to begin with, and said to be rough."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.initialise.trial import NO_CURRENCY
from retention_pipeline.quoting import identifier

RATES_NAME = "fx_rates_rough.csv"

_IN_EURO = {
    "EUR": 1.0, "USD": 0.92, "GBP": 1.18, "CHF": 1.05, "JPY": 0.0061, "CAD": 0.675, "AUD": 0.61, "NZD": 0.56,
    "SEK": 0.0875, "NOK": 0.086, "DKK": 0.134, "ISK": 0.0067, "PLN": 0.232, "CZK": 0.0398, "HUF": 0.00253,
    "RON": 0.201, "BGN": 0.511, "RSD": 0.00854, "UAH": 0.023, "TRY": 0.0281, "ILS": 0.25, "AED": 0.252,
    "SAR": 0.246, "QAR": 0.254, "KWD": 3.01, "BHD": 2.45, "OMR": 2.4, "JOD": 1.3, "EGP": 0.0204, "MAD": 0.093,
    "TND": 0.297, "NGN": 0.00062, "KES": 0.0068, "ZAR": 0.0505, "XOF": 0.00152, "XAF": 0.00152, "INR": 0.011,
    "CNY": 0.128, "HKD": 0.118, "SGD": 0.69, "TWD": 0.0288, "KRW": 0.00068, "THB": 0.0262, "IDR": 0.000058,
    "MYR": 0.2, "PHP": 0.0161, "VND": 0.0000369, "BRL": 0.172, "MXN": 0.0505, "ARS": 0.00101, "CLP": 0.00098,
    "COP": 0.000227, "PEN": 0.246, "UYU": 0.023,
}  # fmt: skip
"""About what one unit was worth in euro in 2024."""

_MONEY_FEEDS = ("order_lines", "subscriptions", "invoices", "payment_attempts", "marketing_costs")


@dataclass(frozen=True)
class RoughRates:
    """Rates that are needed.

    Attributes:
        day: The day from which they hold, before all amounts.
        rates: Currency → units of business currency for one.
        unknown: Currencies for which not even a rough rate is known.
    """

    day: date
    rates: dict[str, float]
    unknown: tuple[str, ...]

    def text(self) -> str:
        """The rates as an export."""
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(("day", "currency", "rate_to_business"))
        writer.writerows((self.day.isoformat(), currency, rate) for currency, rate in sorted(self.rates.items()))
        return target.getvalue()


def needed_rates(con: DuckDBPyConnection, feeds: Sequence[str], currency: str) -> RoughRates | None:
    """Rates for the other currencies of the loaded rows; None where there are none, or the exports bring rates."""
    if "fx_rates" in feeds:
        return None
    found: set[str] = set()
    days: list[date] = []
    for feed in _MONEY_FEEDS:
        time = CONTRACTS[feed].time
        if feed in feeds and time is not None:
            rows = con.execute(
                f"SELECT currency, min({identifier(time)})::DATE FROM raw.{identifier(feed)} "
                "WHERE currency NOT IN (?, ?) GROUP BY currency",
                [currency, NO_CURRENCY],
            ).fetchall()
            found |= {name for name, _ in rows}
            days += [day for _, day in rows if day is not None]
    if not found or not days:
        return None
    own = _IN_EURO.get(currency)
    known = sorted(found & set(_IN_EURO)) if own else []
    rates = {name: float(f"{_IN_EURO[name] / own:.4g}") for name in known if own}
    return RoughRates(min(days), rates, tuple(sorted(found - set(rates))))


def write_rates(folder: Path, rates: RoughRates) -> Path:
    """Write the rates beside the configuration; what stands there already stays."""
    path = folder / RATES_NAME
    if not path.exists():
        path.write_text(rates.text(), encoding="utf-8")
    return path
