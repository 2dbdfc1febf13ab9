"""The causes that the pipeline reports, beside the hidden ones of a simulated business.

`python -m retention_pipeline.voice.truth --warehouse <file> --truth <folder> --document docs/voice.md` writes
the figures between `<!-- figures: truth -->` and `<!-- end: truth -->`; without `--document` it prints them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb

from retention_pipeline.churn.report_figures import replace_figures
from retention_pipeline.quoting import literal
from retention_pipeline.voice.taxonomy import UNKNOWN

_REPORTED = """
SELECT truth.cause, reported.cause, reported.evidence, reported.cause_by, count(*)
FROM read_parquet(?) AS truth
JOIN warehouse.intermediate.int_customers AS person USING (customer_id)
JOIN warehouse.marts.churn_causes AS reported
    ON reported.customer_key = person.customer_key AND reported.happened_on = truth.happened_on
WHERE truth.cause IS NOT NULL
GROUP BY ALL
ORDER BY ALL
"""
Row = tuple[str, str, str, str, int]
"""True cause, reported cause, evidence, what told it, losses."""


def compare(warehouse: Path, truth: Path) -> list[Row]:
    """Losses that have a hidden cause, by that cause and by what is reported of them.

    Args:
        warehouse: The warehouse of a run over the simulated exports.
        truth: The folder of the truth, as `retention simulate` wrote it.
    """
    with duckdb.connect() as con:
        con.execute("SET disabled_optimizers = 'join_order'")
        con.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        return con.execute(_REPORTED, [str(truth / "endings" / "*.parquet")]).fetchall()


def figures(rows: Sequence[Row]) -> str:
    """The comparison as Markdown."""
    total = sum(row[4] for row in rows)
    told = [row for row in rows if row[1] != UNKNOWN]
    parts = [
        f"{total:,} losses with a hidden cause. {_count(told):,} have evidence ({_count(told) / total:.1%}); of these "
        f"{_right(told)} are reported with the true cause; of all losses {_right(rows)}.",
        _table(
            ("evidence", "losses", "true cause reported"),
            [
                (f"`{evidence}`", f"{_count(chosen):,}", _right(chosen))
                for evidence in sorted({row[2] for row in told})
                if (chosen := [row for row in told if row[2] == evidence])
            ],
        ),
        _table(
            ("hidden cause", "losses", "reported as it", "unknown", "most often taken for"),
            [_row(cause, rows) for cause in sorted({row[0] for row in rows})],
        ),
    ]
    return "\n\n".join(parts)


def _count(rows: Sequence[Row]) -> int:
    return sum(row[4] for row in rows)


def _right(rows: Sequence[Row]) -> str:
    return f"{_count([row for row in rows if row[0] == row[1]]) / max(1, _count(rows)):.1%}"


def _row(cause: str, rows: Sequence[Row]) -> tuple[str, ...]:
    own = [row for row in rows if row[0] == cause]
    wrong: dict[str, int] = {}
    for _, said, _, _, losses in own:
        if said not in (cause, UNKNOWN):
            wrong[said] = wrong.get(said, 0) + losses
    first = max(sorted(wrong), key=wrong.__getitem__, default="")
    return (
        f"`{cause}`",
        f"{_count(own):,}",
        f"{_count([row for row in own if row[1] == cause]):,}",
        f"{_count([row for row in own if row[1] == UNKNOWN]):,}",
        f"`{first}` ({wrong[first]})" if first else "",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison, or write it into a document."""
    parser = argparse.ArgumentParser(description="Compare reported causes with those of a simulated business.")
    parser.add_argument("--warehouse", type=Path, required=True, help="warehouse.duckdb of a run")
    parser.add_argument("--truth", type=Path, required=True, help="folder of the truth")
    parser.add_argument("--document", type=Path, help="Markdown file to write into; printed where not given")
    given = parser.parse_args(arguments)
    written = figures(compare(given.warehouse, given.truth))
    if given.document is None:
        sys.stdout.write(f"{written}\n")
    else:
        text = given.document.read_text(encoding="utf-8")
        given.document.write_text(replace_figures(text, "truth", written), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
