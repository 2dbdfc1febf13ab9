"""Writes the figures of the model of a business, as they are on its card, into a document.

`python -m retention_pipeline.churn.report_figures --business data/online_retail --document docs/model.md` replaces what
stands between `<!-- figures: online_retail -->` and `<!-- end: online_retail -->`; without `--document` it prints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from retention_pipeline.churn.recipes import BOOSTING, LOGISTIC
from retention_pipeline.churn.registry import promotions, read_card
from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import state_paths
from retention_pipeline.workspace.loading import load_business

SHOWN_FEATURES = 8
_METRICS = (
    ("auc", "AUC"),
    ("pr_auc", "PR-AUC"),
    ("brier", "Brier score"),
    ("log_loss", "Log loss"),
    ("lift_top_decile", "Lift of the top tenth"),
    ("mean_predicted", "Mean prediction"),
)


def figures(card: Mapping[str, Any]) -> str:
    """The figures of a card as Markdown."""
    data, metrics = card["data"], card["metrics"]
    chosen, baseline = metrics[card["algorithm"]], metrics[LOGISTIC]
    training, test = data["training"], data["test"]
    choice = card["choice"]
    parts = [
        f"Model `{card['model_id']}`, recipe `{card['algorithm']}`, {len(card['features'])} features. Trained on "
        f"{training['dates']} dates from {training['from']} to {training['to']} ({training['rows']:,} customer-dates, "
        f"{training['base_rate']:.1%} lost); tested on {test['dates']} dates from {test['from']} to {test['to']} "
        f"({test['rows']:,} customer-dates of {chosen['customers']:,} customers, {test['base_rate']:.1%} lost); then "
        f"fitted for scoring on all {data['final_fit']['dates']} dates.",
        _table(
            ("on the test", BOOSTING, LOGISTIC, "base rate for everyone"),
            (
                (label, *(f"{metrics[name][key]:.4f}" for name in (BOOSTING, LOGISTIC)), _of_base_rate(key, chosen))
                for key, label in _METRICS
            ),
        ),
        f"95 % interval of the AUC: {chosen['auc_low']:.3f} to {chosen['auc_high']:.3f}, of the baseline "
        f"{baseline['auc_low']:.3f} to {baseline['auc_high']:.3f}. Log loss of the boosting minus that of the logistic "
        f"regression: {choice['log_loss_boosting_minus_logistic']:+.4f} (standard error "
        f"{choice['standard_error']:.4f}).",
        _table(
            ("test date", "customers", "lost", "predicted", "AUC"),
            (
                (day["as_of"], f"{day['rows']:,}", f"{day['base_rate']:.1%}", f"{day['mean_predicted']:.1%}",
                 "" if day["auc"] is None else f"{day['auc']:.3f}")
                for day in card["metrics_by_test_date"]
            ),
        ),
        _table(
            ("tenth", "predicted", "lost", "95 % interval", "customer-dates"),
            (
                (str(tenth["bin"]), f"{tenth['predicted']:.1%}", f"{tenth['observed']:.1%}",
                 f"{tenth['observed_low']:.1%} to {tenth['observed_high']:.1%}", f"{tenth['customers']:,}")
                for tenth in card["calibration_bins"]
            ),
        ),
        "What the model looks at (rise of the log loss when the feature is shuffled): "
        + ", ".join(f"{name} {value:.4f}" for name, value in _most_important(card["feature_importance"]))
        + ".",
    ]  # fmt: skip
    return "\n\n".join(parts)


def _of_base_rate(key: str, chosen: Mapping[str, float]) -> str:
    """The figure that somebody gets who only knows the base rate of the test."""
    known = {
        "auc": 0.5,
        "pr_auc": chosen["base_rate"],
        "brier": chosen["brier_base_rate"],
        "log_loss": chosen["log_loss_base_rate"],
        "lift_top_decile": 1.0,
        "mean_predicted": chosen["base_rate"],
    }
    return f"{known[key]:.4f}"


def _most_important(importance: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(importance.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_FEATURES]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replace_figures(text: str, business: str, written: str) -> str:
    """The document with the figures of `business` in their place.

    Raises:
        RetentionError: The document has no such place.
    """
    begin, end = f"<!-- figures: {business} -->", f"<!-- end: {business} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise RetentionError(
            f"the document has no place for the figures of {business}",
            expected=f"the lines {begin} and {end}",
            way_out="put both where the figures should stand",
        )
    return f"{before}{begin}\n\n{written}\n\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the figures of the newest model of a business."""
    parser = argparse.ArgumentParser(description="Write the figures of the newest churn model of a business.")
    parser.add_argument("--business", type=Path, required=True, help="folder of the business")
    parser.add_argument("--document", type=Path, help="Markdown file to write into; printed where not given")
    given = parser.parse_args(arguments)
    try:
        business = load_business(given.business).name
        models = state_paths(business).models
        known = [model_id for model_id in promotions(models).values() if model_id is not None]
        if not known:
            raise RetentionError(f"{business} has no model", way_out="run the business first: `retention run`")
        written = figures(read_card(models, known[-1]))
        if given.document is None:
            sys.stdout.write(f"{written}\n")
        else:
            text = given.document.read_text(encoding="utf-8")
            given.document.write_text(replace_figures(text, business, written), encoding="utf-8")
    except RetentionError as error:
        sys.stderr.write(f"{error.text()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
