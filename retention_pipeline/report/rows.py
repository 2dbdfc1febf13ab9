"""The lines and rows that the page in the terminal and the page in the browser both show, as text."""

from __future__ import annotations

from collections.abc import Sequence

from retention_pipeline.report.summary import Figure, ModelSummary, RunSummary
from retention_pipeline.report.wording import (
    MISSING,
    change_text,
    count,
    decimals,
    figure_text,
    interval_text,
    label_text,
    month_before,
    month_name,
    range_text,
    share,
    words,
)

_MOST_RULES = 3
_MOST_FEATURES = 4


def verdict(summary: RunSummary) -> tuple[str, str]:
    """How the run ended in one sentence, and whether that is `good`, `warn` or `bad`."""
    failed = len(summary.checks_failed)
    passed = len(summary.checks) - failed
    checks = f"{count(passed)} checks passed, {count(failed) if failed else 'none'} failed"
    if not summary.checks:
        checks = "no checks were run"
    shown = summary.published_day
    if not summary.succeeded:
        seen = f"People still see {shown}" if shown else "Nothing is published yet"
        return "bad", f"✗ The day is not complete: {checks}. {seen}."
    if shown is None:
        seen = "Nothing is published yet"
    elif shown == summary.as_of:
        seen = "Published"
    else:
        seen = f"People go on seeing {shown}{', a newer day' if shown > summary.as_of else ''}"
    needs_a_look = failed or summary.held_back or shown is None
    return "warn" if needs_a_look else "good", f"✓ {checks[0].upper()}{checks[1:]}. {seen}."


def feed_rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """Feed, files, rows read, loaded, quarantined, last day, remarks."""
    rows: list[tuple[str, ...]] = []
    for feed in summary.feeds:
        remarks = [f"{count(feed.files_rejected)} not taken"] if feed.files_rejected else []
        if feed.days_late:
            remarks.append(f"silent for {count(feed.days_late)} days")
        if feed.rows_skipped:
            remarks.append(f"{count(feed.rows_skipped)} skipped as the mapping says")
        if feed.rules:
            remarks.append(f"quarantined for {', '.join(counted(feed.rules, _MOST_RULES))}")
        rows.append(
            (
                feed.feed,
                count(feed.files),
                count(feed.rows_read),
                count(feed.rows_loaded),
                count(feed.rows_quarantined),
                str(feed.last_day or MISSING),
                "; ".join(remarks),
            )
        )
    return rows


IDENTITY_HEADER = ("", "ids", "customers", "by key", "by address", "kept apart", "unjoined")


def identity_rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """The systems, under `IDENTITY_HEADER`."""
    return [
        (
            found.source,
            count(found.ids),
            count(found.customers),
            count(found.by_key),
            count(found.by_address),
            count(found.conflicting + found.ambiguous),
            count(found.unmatched),
        )
        for found in summary.sources
    ]


def quarantine_line(summary: RunSummary) -> str:
    """Where quarantined rows can be read; empty where there are none."""
    tables = [f"quarantine.{feed.feed}" for feed in summary.feeds if feed.rows_quarantined]
    return f"Quarantined rows with the rule that each broke: {', '.join(tables)} in warehouse.duckdb" if tables else ""


def figure_header(summary: RunSummary) -> tuple[str, ...]:
    """The header of `figure_rows`: the months by name."""
    if summary.month is None:
        return ("", "month", "95 % interval", "month before", "change")
    return ("", month_name(summary.month).split()[0], "95 % interval", month_before(summary.month), "change")


def figure_rows(figures: Sequence[Figure], currency: str) -> list[tuple[str, ...]]:
    """Label, value, 95 % interval, value of the month before, change."""
    return [
        (
            label_text(figure, currency),
            figure_text(figure, figure.value),
            interval_text(figure),
            figure_text(figure, figure.previous),
            change_text(figure),
        )
        for figure in figures
    ]


MODEL_HEADER = ("", "model", "95 % interval", "logistic", "guessing", "")


def model_rows(model: ModelSummary) -> list[tuple[str, ...]]:
    """Metric, of the model, its 95 % interval, of the logistic baseline, of guessing the base rate, how to read it."""
    rows = (
        (
            "AUC",
            decimals(model.auc),
            range_text(model.auc_low, model.auc_high),
            decimals(model.baseline_auc),
            decimals(0.5),
            "1 is perfect",
        ),
        (
            "PR-AUC",
            decimals(model.average_precision),
            "",
            decimals(model.baseline_average_precision),
            decimals(model.base_rate),
            "1 is perfect",
        ),
        (
            "Brier score",
            decimals(model.brier),
            "",
            decimals(model.baseline_brier),
            decimals(model.base_rate_brier),
            "smaller is better",
        ),
        (
            "Lift of the top tenth",
            decimals(model.lift, 1),
            "",
            "",
            decimals(1.0, 1),
            "churn there over churn among all",
        ),
    )
    return [row for row in rows if row[1] != MISSING]


def model_lines(model: ModelSummary) -> list[str]:
    """What the model was tested on, and how many customers it scored."""
    lines = []
    if model.test_rows is not None and model.test_from and model.test_to:
        churned = f", {share(model.base_rate)} of them churned" if model.base_rate is not None else ""
        lines.append(
            f"Tested on the customers active on dates from {model.test_from} to {model.test_to}:"
            f" {count(model.test_rows)} rows{churned}"
        )
    elif model.base_rate is not None:
        lines.append(f"{share(model.base_rate)} of the test customers churned")
    if model.importance:
        lines.append(f"Relies most on {', '.join(words(name) for name, _ in model.importance[:_MOST_FEATURES])}")
    if model.customers_scored is not None:
        named = f" by {words(model.algorithm)}, {model.model_id}" if model.algorithm and model.model_id else ""
        lines.append(f"{count(model.customers_scored)} customers scored{named}")
    return lines


def counted(reasons: Sequence[tuple[str, int]], most: int) -> list[str]:
    """The first `most` of `reasons` with their counts, and how many the others are."""
    shown = [f"{reason} {count(number)}" for reason, number in reasons[:most]]
    rest = sum(number for _, number in reasons[most:])
    return [*shown, f"other {count(rest)}"] if rest else shown
