"""The page in the terminal: golden texts, and what it says of days that went wrong."""

# ruff: noqa: RUF001

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from retention_pipeline.report.page import render_terminal
from retention_pipeline.report.summary import CheckSummary, RunSummary
from tests.unit.report_samples import DAY, full_summary

WIDE = """
Corner Shop, 2025-12-09 ────────────────────────────────────────────────────────────────────────────────────────────────
✓ 2 checks passed, 1 failed. Published.
  ! check is_fresh of raw/tickets failed: The newest ticket is not too old.

Feeds
               files  rows read     loaded  quarantined    last day
  order_lines     25  1,067,371  1,067,326           45  2025-12-09
  tickets          3        912        900            0  2025-10-03
  ! order_lines: quarantined for quantity is no number 45
  ! tickets: silent for 67 days; 12 skipped as the mapping says
  Quarantined rows with the rule that each broke: quarantine.order_lines in warehouse.duckdb

November 2025
                              November  95 % interval  October   change
  Customers at the end           1,100                   1,050   +4.8 %
  Churn rate                     8.0 %      6.5–9.8 %   10.0 %  -2.0 pp
  Revenue, GBP                 123,457                 100,000  +23.5 %
  Average basket, GBP           124.70                  111.11  +12.2 %
  Orders per buying customer      1.29                       –

Churn model
                         model  95 % interval  logistic  guessing
  AUC                    0.784    0.761–0.806     0.770     0.500  1 is perfect
  PR-AUC                 0.512                    0.488     0.210  1 is perfect
  Brier score            0.131                    0.136     0.166  smaller is better
  Lift of the top tenth    3.1                                1.0  churn there over churn among all
  Tested on the customers active on dates from 2025-06-30 to 2025-08-31: 2,900 rows, 21.0 % of them churned
  Relies most on days since last order, overdue ratio
  1,099 customers scored by gradient boosting, m-3f0c9a61

Lists, expected cost and profit in GBP
            qualify  treated  control  left out  cost  profit  left out because
  save          300      180       20       100   360   4,322  no consent 70, in cooldown 30
  win_back       40        0        0        40     0       0  no profit 40
  ! win_back: nobody is expected to bring a profit

Took 28.5 s: Start 2.0, load feeds 4.5, churn model 22.0

Where to look next
  Lists     /state/shop/lists/2025-12-09
  Report    /state/shop/report/2025-12-09.html
  Database  /state/shop/serving.duckdb
"""

NARROW = """
Corner Shop, 2025-12-09 ────────────────────────────────────────────────────────
✓ 2 checks passed, 1 failed. Published.
  ! check is_fresh of raw/tickets failed: The newest ticket is not too old.

Feeds
               files  rows read     loaded  quarantined    last day
  order_lines     25  1,067,371  1,067,326           45  2025-12-09
  tickets          3        912        900            0  2025-10-03
  ! order_lines: quarantined for quantity is no number 45
  ! tickets: silent for 67 days; 12 skipped as the mapping says
  Quarantined rows with the rule that each broke: quarantine.order_lines in
  warehouse.duckdb

November 2025
                              November  95 % interval  October   change
  Customers at the end           1,100                   1,050   +4.8 %
  Churn rate                     8.0 %      6.5–9.8 %   10.0 %  -2.0 pp
  Revenue, GBP                 123,457                 100,000  +23.5 %
  Average basket, GBP           124.70                  111.11  +12.2 %
  Orders per buying customer      1.29                       –

Churn model
                         model  95 % interval  logistic  guessing
  AUC                    0.784    0.761–0.806     0.770     0.500
  PR-AUC                 0.512                    0.488     0.210
  Brier score            0.131                    0.136     0.166
  Lift of the top tenth    3.1                                1.0
  Tested on the customers active on dates from 2025-06-30 to 2025-08-31: 2,900
  rows, 21.0 % of them churned
  Relies most on days since last order, overdue ratio
  1,099 customers scored by gradient boosting, m-3f0c9a61

Lists, expected cost and profit in GBP
            qualify  treated  control  left out  cost  profit  left out because
  save          300      180       20       100   360   4,322  no consent 70,
                                                               other 30
  win_back       40        0        0        40     0       0  no profit 40
  ! win_back: nobody is expected to bring a profit

Took 28.5 s: Start 2.0, load feeds 4.5, churn model 22.0

Where to look next
  Lists     /state/shop/lists/2025-12-09
  Report    /state/shop/report/2025-12-09.html
  Database  /state/shop/serving.duckdb
"""


def page(summary: RunSummary, width: int = 120) -> str:
    """What is written to a file of this width, without the blanks that fill up a line."""
    written = StringIO()
    render_terminal(summary, Console(file=written, width=width, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


@pytest.mark.parametrize(("width", "golden"), [(120, WIDE), (80, NARROW)])
def test_the_whole_page(width: int, golden: str) -> None:
    assert page(full_summary(), width) == golden


def test_colour_changes_no_word() -> None:
    written = StringIO()
    console = Console(file=written, width=120, highlight=False, force_terminal=True, color_system="truecolor")
    render_terminal(full_summary(), console)
    assert "\x1b[" in written.getvalue()
    lines = Text.from_ansi(written.getvalue()).plain.splitlines()
    assert [line.rstrip() for line in lines] == page(full_summary()).splitlines()


def test_a_failed_run_says_what_happened_and_what_people_see() -> None:
    summary = RunSummary(
        title="Corner Shop",
        as_of=DAY,
        currency="GBP",
        succeeded=False,
        published_day=date(2025, 12, 8),
        checks=(
            CheckSummary("marts/fct_orders", "positive", passed=False, description="No price is negative."),
            CheckSummary("marts/kpi_monthly", "identity", passed=False, blocking=True),
        ),
        failures=("build_models: kpi_monthly failed\n  way out:  look at the compiled SQL",),
        held_back=("tickets is held back: 30 % of tickets.csv are bad rows",),
        notes=("not run because of that: churn_model",),
    )
    assert page(summary) == (
        """
Corner Shop, 2025-12-09 ────────────────────────────────────────────────────────────────────────────────────────────────
✗ The day is not complete: 0 checks passed, 2 failed. People still see 2025-12-08.
  ✗ build_models: kpi_monthly failed
      way out:  look at the compiled SQL
  ! tickets is held back: 30 % of tickets.csv are bad rows
  ! not run because of that: churn_model
  ✗ blocking check identity of marts/kpi_monthly failed
  ! check positive of marts/fct_orders failed: No price is negative.
"""
    )


@pytest.mark.parametrize(
    ("succeeded", "published", "said"),
    [
        (True, DAY, "✓ No checks were run. Published."),
        (True, None, "✓ No checks were run. Nothing is published yet."),
        (True, DAY + timedelta(days=3), "✓ No checks were run. People go on seeing 2025-12-12, a newer day."),
        (False, None, "✗ The day is not complete: no checks were run. Nothing is published yet."),
        (False, DAY, "✗ The day is not complete: no checks were run. People still see 2025-12-09."),
    ],
)
def test_the_verdict(succeeded: bool, published: date | None, said: str) -> None:
    summary = RunSummary("Shop", DAY, "GBP", succeeded=succeeded, published_day=published)
    assert page(summary).splitlines()[2:] == [said]


def test_many_failed_checks_are_counted() -> None:
    checks = tuple(CheckSummary("marts/kpi_daily", f"check_{number:02d}", passed=False) for number in range(30))
    text = page(replace(full_summary(), checks=checks))
    assert "✓ 0 checks passed, 30 failed." in text
    assert "check_07" in text
    assert "check_08" not in text
    assert "… and 22 more failed checks" in text


@pytest.mark.parametrize("part", ["model", "plays", "month", "figures", "feeds", "checks", "seconds", "look_next"])
def test_a_part_that_is_missing_leaves_the_others_alone(part: str) -> None:
    empty = getattr(RunSummary("Shop", DAY, "GBP"), part)
    summary = replace(full_summary(), **{part: empty}, **({"figures": ()} if part == "month" else {}))
    text, whole = page(summary), page(full_summary())
    assert "None" not in text
    assert "\n\n\n" not in text
    titles = [line for line in whole.splitlines() if line and line[0].isalpha()]
    assert len([line for line in text.splitlines() if line in titles]) >= len(titles) - 1


@given(
    title=st.text(min_size=1, max_size=30).filter(str.isprintable),
    failure=st.sampled_from(["[bold]", "[/]", "[/red] x", "[link=x]y", "plain", ":warning: {}"]),
)
def test_words_are_never_read_as_markup(title: str, failure: str) -> None:
    text = page(replace(full_summary(), title=title, failures=(failure,), succeeded=False), 200)
    assert f"  ✗ {failure}\n" in text
    assert "–" in text


def test_paths_are_never_broken() -> None:
    path = full_summary().look_next[0].path / ("a" * 150)
    place = replace(full_summary().look_next[0], path=path)
    assert f"  Lists  {path}\n" in page(replace(full_summary(), look_next=(place,)), 80)
