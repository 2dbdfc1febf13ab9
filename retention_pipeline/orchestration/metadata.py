"""What assets show in the UI: schemas, row counts, owners and pictures."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier


def table_schema(columns: Iterable[tuple[str, str, str]]) -> dg.TableSchema:
    """A column schema from (name, type, description)."""
    return dg.TableSchema(columns=[dg.TableColumn(name, type=kind, description=text) for name, kind, text in columns])


def table_metadata(con: DuckDBPyConnection, schema: str, tables: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Row count and column schema of each table of `schema`; a view is not counted, since that would compute it."""
    wanted = sorted(tables)
    columns: dict[str, list[tuple[str, str, str]]] = {}
    for table, column, kind, comment in con.execute(
        "SELECT table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns()"
        " WHERE schema_name = ? AND database_name = current_database() ORDER BY table_name, column_index",
        [schema],
    ).fetchall():
        columns.setdefault(table, []).append((column, kind, comment))
    views = con.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = ?", [schema]).fetchall()
    computed = {view for (view,) in views}
    found: dict[str, dict[str, Any]] = {}
    for table in wanted:
        if table not in columns:
            continue
        found[table] = {"dagster/column_schema": table_schema(columns[table])}
        if table not in computed:
            counted = con.execute(f"SELECT count(*) FROM {identifier(schema)}.{identifier(table)}").fetchall()
            found[table]["dagster/row_count"] = counted[0][0]
    return found


def _picture(image: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """A small SVG that the UI shows inline."""
    return dg.MetadataValue.md(f"![{alt}](data:image/svg+xml;base64,{b64encode(image).decode('ascii')})")


def pictures_of(con: DuckDBPyConnection, table: str) -> dict[str, dg.MarkdownMetadataValue]:
    """The pictures that show `schema.table`, by name."""
    from retention_pipeline.report.pictures import draw_pictures

    return {name.replace("_", " "): _picture(image, name) for name, image in draw_pictures(con, {table}).items()}


def counts_table(rows: Mapping[str, int], key: str, value: str) -> dg.MarkdownMetadataValue:
    """Counts by name as a small Markdown table, largest first."""
    ordered = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {key} | {value} |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in ordered)]
    return dg.MetadataValue.md("\n".join(lines))
