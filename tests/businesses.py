"""Small businesses cut from the shipped exports, so that a whole run takes seconds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from tests.pipelines import ONLINE_RETAIL, OULAD

SHARE_OF_SHOP = 12
"""One customer in so many is kept."""
SHARE_OF_LEARNERS = 20


def small_shop(folder: Path, *, until: date | None = None) -> Path:
    """A twelfth of the shop's customers and of its lines without a customer, one plain CSV a month.

    Args:
        folder: Where the business is written.
        until: The last day that has been exported; later lines are not there yet.
    """
    exports = folder / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    limit = until or date(2011, 12, 9)
    with duckdb.connect() as con:
        for source in sorted((ONLINE_RETAIL / "exports").glob("*.csv.zst")):
            month = source.name.removesuffix(".csv.zst")[-7:]
            if month > limit.isoformat()[:7]:
                continue
            name = "Customer ID" if "fy2010" in source.name else "CustomerID"
            invoice = "Invoice" if "fy2010" in source.name else "InvoiceNo"
            con.execute(
                f"COPY (SELECT * FROM read_csv(?, all_varchar = true) WHERE InvoiceDate < ? AND "
                f'coalesce(try_cast("{name}" AS DOUBLE)::BIGINT, hash("{invoice}")) % {SHARE_OF_SHOP} = 5) TO '
                f"'{exports / source.name.removesuffix('.zst')}' (HEADER, DELIMITER ',')",
                [str(source), f"{limit.isoformat()} 23:59:60"],
            )
    text = (ONLINE_RETAIL / "retention.yaml").read_text(encoding="utf-8")
    (folder / "retention.yaml").write_text(
        text.replace(".csv.zst", ".csv").replace("business: online_retail", "business: small_shop"), encoding="utf-8"
    )
    return folder


def small_learners(folder: Path) -> Path:
    """A twentieth of the learners, with their enrolments and use."""
    exports = folder / "exports"
    exports.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for source in sorted((OULAD / "exports").iterdir()):
            target = exports / source.name.removesuffix(".zst")
            reader = "read_parquet(?)" if source.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
            kind = "PARQUET" if source.suffix == ".parquet" else "CSV"
            con.execute(
                f"COPY (SELECT * FROM {reader} WHERE student_id::BIGINT % {SHARE_OF_LEARNERS} = 7) "
                f"TO '{target}' (FORMAT {kind})",
                [str(source)],
            )
    text = (OULAD / "retention.yaml").read_text(encoding="utf-8")
    (folder / "retention.yaml").write_text(
        text.replace(".csv.zst", ".csv").replace("business: oulad", "business: small_learners"), encoding="utf-8"
    )
    return folder
