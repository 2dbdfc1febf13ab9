"""Writes the staging layer of the dbt project from the contracts: a model per feed, its YAML, and the sources.

`python -m retention_pipeline.feeds.staging_models` writes the files; a test says when they differ from the contracts.

A staging model shows what a feed said by the end of the as-of day: rows of batches that no other batch in force has
replaced, known and dated by that day, one row per key (the newest delivery) or per line, and nothing that had not
happened yet. `stg_customer_ids` lists the ids under which any feed knows a customer.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from retention_pipeline.feeds.contracts import CONTRACTS, Column, Contract, Dated, Type
from retention_pipeline.quoting import identifier
from retention_pipeline.settings import PROJECT

STAGING = PROJECT / "dbt_project" / "models" / "staging"
MACROS = PROJECT / "dbt_project" / "macros" / "staged_feeds.sql"

_HEADER = "Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file."

_TABLES = frozenset({"customers", "subscriptions"})
"""Feeds whose staging model is stored: several models read it. The others are views, read once or twice."""

_RESERVED = frozenset({"interval"})

_LARGE = (
    "order_lines", "invoices", "payment_attempts", "usage", "events", "tickets", "survey_responses", "messages",
    "loyalty",
)  # fmt: skip
"""Feeds that can be large and tell what a customer did on a day: models read them in part."""

CUSTOMER_IDS = "stg_customer_ids"

KNOWN_ON = "known_on"
"""The day from which a row is known, of feeds whose contract shows it; of repeated lines, the newest delivery."""

_LEDGER_COLUMNS = (
    ("batch_id", "The batch: one file as it was loaded."),
    ("feed", "The feed to which the file belongs."),
    ("status", "loaded, refused, blocked or same_content."),
    ("delivered_on", "Delivery day told by the file's name; null: each row is known from its own day."),
    ("superseded_by", "The batch that replaced this one."),
)


def staging_files() -> dict[Path, str]:
    """Every file of the staging layer with the text that it must have."""
    files = {STAGING / f"stg_{feed}.sql": model_sql(contract) for feed, contract in CONTRACTS.items()}
    files[STAGING / f"{CUSTOMER_IDS}.sql"] = customer_ids_sql()
    files[MACROS] = macros_sql()
    files[STAGING / "_raw__sources.yml"] = sources_yaml()
    files[STAGING / "_staging__models.yml"] = models_yaml()
    return files


def model_sql(contract: Contract) -> str:
    """The SQL of `stg_<feed>`."""
    rows = f"{{{{ source('raw', '{contract.name}') }}}}"
    return "\n".join([f"-- {_HEADER}", *_config(contract), _staged_sql(contract, rows), ""])


def macros_sql() -> str:
    """The macros that tell about large feeds, and stage some of their rows."""
    parts = [f"{{#- {_HEADER} -#}}", _FACTS_TEXT, "{% macro feed_facts(feed) -%}", "    {{ return({"]
    parts += [f"        '{feed}': {_facts(CONTRACTS[feed])}," for feed in _LARGE]
    parts += ["    }[feed]) }}", "{%- endmacro %}", "", _STAGED_TEXT]
    for feed in _LARGE:
        sql = _staged_sql(CONTRACTS[feed], "{{ rows }}")
        parts += [f"{{% macro staged_{feed}(rows) -%}}", sql, "{%- endmacro %}", ""]
    return "\n".join(parts)


_FACTS_TEXT = (
    "{#-\n  Of a large feed: the column that dates a row, whether it is a date, and the column that tells which rows"
    " are one\n  (none where those are of one customer and day anyway).\n"
    "-#}"
)
_STAGED_TEXT = "{#- As the staging model, of some rows of the feed: all of each key that is among them. -#}"


def _facts(contract: Contract) -> str:
    time = contract.column(contract.time or "")
    key = contract.keys[0] if len(contract.keys) == 1 else ""
    if any(column.identity for column in contract.columns):
        key = "_line_id"
    is_date = "true" if time.type is Type.DATE else "false"
    return f"{{'time': '{time.name}', 'is_date': {is_date}, 'key': '{key}'}}"


def _staged_sql(contract: Contract, rows: str) -> str:
    return "\n".join(
        [
            "with run as (",
            "    select as_of, " + "{{ begin_of_day(add_days('as_of', 1), 'timezone') }}" + " as ends_at",
            "    from {{ source('control', 'run') }}",
            "),",
            "",
            "current_batches as (",
            f"    {{{{ current_batches('{contract.name}') }}}}",
            "),",
            "",
            "known as (",
            "    select feed.*, batch.place, run.as_of, run.ends_at",
            f"    from {rows} as feed",
            "    inner join current_batches as batch on batch.batch_id = feed._batch_id",
            "    cross join run",
            "    where (feed._known_on is null or feed._known_on <= run.as_of)",
            *_dated_by_the_day(contract),
            *_newest(contract),
            ")" if contract.keys else "),",
            *_repeated_lines(contract),
            "",
            "select",
            indent(",\n".join(_expressions(contract)), "    "),
            "from known",
            *_first_of_repeated(contract),
        ]
    )


def customer_ids_sql() -> str:
    """The SQL of `stg_customer_ids`: nothing is read where one system knows all customers."""
    feeds = [contract for contract in CONTRACTS.values() if any(c.name == "customer_id" for c in contract.columns)]
    return "\n".join(
        [
            f"-- {_HEADER}",
            "{{ config(materialized='table') }}",
            "with run as (",
            "    select as_of, " + "{{ begin_of_day(add_days('as_of', 1), 'timezone') }}" + " as ends_at",
            "    from {{ source('control', 'run') }}",
            "    where joins_sources",
            "),",
            "",
            "seen as (",
            "\n\n    union all\n\n".join(_ids_of(contract) for contract in feeds),
            ")",
            "",
            "select distinct customer_id",
            "from seen",
            "where customer_id is not null",
            "",
        ]
    )


def _ids_of(contract: Contract) -> str:
    return "\n".join(
        [
            "    select distinct feed.customer_id",
            f"    from {{{{ source('raw', '{contract.name}') }}}} as feed",
            "    cross join run",
            "    where feed._batch_id in (",
            "        select batch_id from (",
            f"            {{{{ current_batches('{contract.name}') }}}}",
            "        )",
            "    )",
            "        and (feed._known_on is null or feed._known_on <= run.as_of)",
            *_dated_by_the_day(contract),
        ]
    )


def _config(contract: Contract) -> list[str]:
    return ["{{ config(materialized='table') }}"] if contract.name in _TABLES else []


def _dated_by_the_day(contract: Contract) -> list[str]:
    if contract.time is None:
        return []
    time = contract.column(contract.time)
    test = f"feed.{time.name} <= run.as_of" if time.type is Type.DATE else f"feed.{time.name} < run.ends_at"
    return [f"        and {test}" if time.required else f"        and (feed.{time.name} is null or {test})"]


def _newest(contract: Contract) -> list[str]:
    if not contract.keys:
        return []
    return [
        "    qualify row_number() over (",
        f"        partition by {', '.join(f'feed.{key}' for key in contract.keys)}",
        "        order by feed._known_on desc nulls last, batch.place desc, feed._line desc",
        "    ) = 1",
    ]


def _repeated_lines(contract: Contract) -> list[str]:
    """Lines that several files hold. Within a file a line has an identity of its own, but for rows with an id."""
    if contract.keys:
        return []
    return [
        "",
        "repeated as (",
        f"    select _line_id, min({_position(contract)}) as first{_last_known(contract)}",
        "    from known",
        "    group by _line_id",
        "    having count(*) > 1",
        ")",
    ]


def _position(contract: Contract) -> str:
    """Where a line stands among all: by its file, and within it where the file may hold copies of one row."""
    return "(place, _line)" if any(column.identity for column in contract.columns) else "place"


def _last_known(contract: Contract) -> str:
    """Of a line that is delivered again and again, the newest delivery confirms it."""
    return ", max(_known_on) as last_known_on" if contract.shows_delivery else ""


def _first_of_repeated(contract: Contract) -> list[str]:
    if contract.keys:
        return []
    return [
        "left join repeated on repeated._line_id = known._line_id",
        f"where repeated._line_id is null or repeated.first = {_position(contract)}",
    ]


def _expressions(contract: Contract) -> list[str]:
    """The columns: masked where they tell what had not happened."""
    shown = [(_name(column), _masked(contract, column)) for column in contract.columns]
    if contract.shows_delivery:
        known_on = "_known_on" if contract.keys else "coalesce(repeated.last_known_on, known._known_on)"
        shown.append((KNOWN_ON, known_on))
    return [name if name == expression else f"{expression} as {name}" for name, expression in shown]


def _name(column: Column) -> str:
    return identifier(column.name) if column.name in _RESERVED else column.name


def _masked(contract: Contract, column: Column) -> str:
    """The expression of a column; the row's own time needs no mask, rows after the day are left out."""
    teller = contract.column(column.known_with) if column.known_with else column
    if teller.dated is not Dated.HAPPENED or teller.name == contract.time:
        return _name(column)
    bound = f"{teller.name} <= as_of" if teller.type is Type.DATE else f"{teller.name} < ends_at"
    return f"case when {bound} then {_name(column)} end"


def sources_yaml() -> str:
    """The YAML of the source `raw`: a table per feed, and the ledger of batches."""
    lines = [f"# {_HEADER}", "version: 2", "", "sources:", "  - name: raw", "    schema: raw"]
    lines += ["    description: What was loaded from the export files, never updated.", "    tables:"]
    for contract in CONTRACTS.values():
        text = f"{contract.description} One row per {_without_article(contract.grain)}, per delivery."
        lines += [f"      - name: {contract.name}", f"        description: {_quoted(text)}"]
    lines += [
        "      - name: ledger",
        "        description: Every file that was seen. One row per batch.",
        "        columns:",
    ]
    for name, text in _LEDGER_COLUMNS:
        lines += [f"          - name: {name}", f"            description: {_quoted(text)}"]
    return "\n".join([*lines, ""])


def models_yaml() -> str:
    """The YAML of the staging models."""
    lines = [f"# {_HEADER}", "version: 2", "", "models:"]
    for contract in CONTRACTS.values():
        text = f"{contract.description} As known by the as-of day. One row per {_without_article(contract.grain)}."
        lines += [f"  - name: stg_{contract.name}", f"    description: {_quoted(text)}", "    columns:"]
        for column in contract.columns:
            lines += [f"      - name: {column.name}", f"        description: {_quoted(column.description)}"]
            lines += [f"        data_type: {column.type.value.lower()}"]
        if contract.shows_delivery:
            text = "Day from which the row is known as it stands; missing where neither file nor row has a day."
            lines += [f"      - name: {KNOWN_ON}", f"        description: {_quoted(text)}", "        data_type: date"]
    lines += [
        f"  - name: {CUSTOMER_IDS}",
        "    description: 'The ids under which any feed knows a customer by the as-of day; empty where one system knows"
        " all customers. One row per id.'",
        "    columns:",
        "      - name: customer_id",
        "        description: 'The id, as raw holds it.'",
        "        data_type: varchar",
    ]
    return "\n".join([*lines, ""])


def _without_article(grain: str) -> str:
    for article in ("a ", "an ", "one "):
        if grain.startswith(article):
            return grain.removeprefix(article)
    return grain


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main() -> None:
    """Write what differs, and remove models of feeds that are no more."""
    files = staging_files()
    for path in STAGING.glob("stg_*.sql"):
        if path not in files:
            path.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
