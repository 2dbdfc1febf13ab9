"""How figures and names are written, the same in the terminal and on the page."""

from __future__ import annotations

from datetime import date

from retention_pipeline.report.summary import Figure, Unit

MISSING = "–"  # noqa: RUF001
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def month_name(day: date) -> str:
    """`November 2011`: without the locale of the machine."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def month_before(day: date) -> str:
    """The name of the month before that of `day`."""
    return _MONTHS[day.month - 2]


def count(value: float | None) -> str:
    """A whole number with separators."""
    return MISSING if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as a percentage with one decimal."""
    return MISSING if value is None else f"{100 * value:.1f} %"


def decimals(value: float | None, places: int = 3) -> str:
    """A plain number."""
    return MISSING if value is None else f"{value:,.{places}f}"


def figure_text(figure: Figure, value: float | None) -> str:
    """A value in the unit of its figure; the currency is named once, in the label."""
    if figure.unit is Unit.SHARE:
        return share(value)
    if figure.unit is Unit.RATIO:
        return decimals(value, 2)
    return count(value) if figure.unit is Unit.COUNT or value is None or abs(value) >= 10_000 else f"{value:,.2f}"


def interval_text(figure: Figure) -> str:
    """The 95 % interval of a share, empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{range_text(100 * figure.low, 100 * figure.high, 1)} %"


def range_text(low: float | None, high: float | None, places: int = 3) -> str:
    """Two plain numbers with a dash between them; empty where one is missing."""
    return "" if low is None or high is None else f"{low:.{places}f}–{high:.{places}f}"  # noqa: RUF001


def change_text(figure: Figure) -> str:
    """The change from the month before: in percentage points for shares, in percent for the rest."""
    if figure.value is None or figure.previous is None:
        return ""
    if figure.unit is Unit.SHARE:
        return f"{100 * (figure.value - figure.previous):+.1f} pp"
    if figure.previous <= 0:
        return ""
    return f"{100 * (figure.value / figure.previous - 1):+,.1f} %"


def label_text(figure: Figure, currency: str) -> str:
    """The label with the currency where the figure is money."""
    return f"{figure.label}, {currency}" if figure.unit is Unit.MONEY else figure.label


def words(name: str) -> str:
    """An identifier as words: `no_consent` → `no consent`."""
    return name.replace("_", " ")


def step_text(step: str) -> str:
    """The name of a step as words; of an asset's step (`group__asset`) only the asset."""
    return words(step.rsplit("__", 1)[-1])
