"""How figures are written."""

# ruff: noqa: RUF001

from __future__ import annotations

from datetime import date

import pytest

from retention_pipeline.report.summary import Figure, Unit
from retention_pipeline.report.wording import (
    change_text,
    count,
    figure_text,
    interval_text,
    label_text,
    month_before,
    month_name,
    step_text,
)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.COUNT, 1234567, "1,234,567"),
        (Unit.MONEY, 9999.994, "9,999.99"),
        (Unit.MONEY, 123456.78, "123,457"),
        (Unit.MONEY, -12345.6, "-12,346"),
        (Unit.SHARE, 0.0, "0.0 %"),
        (Unit.SHARE, 0.0806, "8.1 %"),
        (Unit.RATIO, 1.2857, "1.29"),
        (Unit.COUNT, None, "–"),
        (Unit.MONEY, None, "–"),
        (Unit.SHARE, None, "–"),
        (Unit.RATIO, None, "–"),
    ],
)
def test_values(unit: Unit, value: float | None, text: str) -> None:
    assert figure_text(Figure("x", "X", unit, value), value) == text


@pytest.mark.parametrize(
    ("unit", "value", "previous", "text"),
    [
        (Unit.SHARE, 0.08, 0.10, "-2.0 pp"),
        (Unit.SHARE, 0.08, 0.0, "+8.0 pp"),
        (Unit.MONEY, 110, 100, "+10.0 %"),
        (Unit.COUNT, 0, 4, "-100.0 %"),
        (Unit.COUNT, 8851, 342, "+2,488.0 %"),
        (Unit.COUNT, 100, 100, "+0.0 %"),
        # No percentage of nothing; and a change of sign is no growth.
        (Unit.COUNT, 4, 0, ""),
        (Unit.MONEY, 50, -100, ""),
        (Unit.COUNT, None, 4, ""),
        (Unit.COUNT, 4, None, ""),
    ],
)
def test_changes(unit: Unit, value: float | None, previous: float | None, text: str) -> None:
    assert change_text(Figure("x", "X", unit, value, previous)) == text


def test_intervals_need_both_ends() -> None:
    assert interval_text(Figure("x", "X", Unit.SHARE, 0.08, None, 0.065, 0.098)) == "6.5–9.8 %"
    assert interval_text(Figure("x", "X", Unit.SHARE, 0.08, None, 0.065)) == ""


def test_months_steps_and_labels() -> None:
    assert month_name(date(2025, 11, 30)) == "November 2025"
    assert month_before(date(2025, 11, 1)) == "October"
    assert month_before(date(2025, 1, 1)) == "December"
    assert step_text("churn__churn_model") == "churn model"
    assert step_text("load_feeds") == "load feeds"
    assert label_text(Figure("x", "Revenue", Unit.MONEY, 1), "EUR") == "Revenue, EUR"
    assert label_text(Figure("x", "Orders", Unit.COUNT, 1), "EUR") == "Orders"
    assert count(0) == "0"
