"""One customer across sources: a business whose billing, support and CRM know the same people by other ids."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.report.collecting import collect_identities
from retention_pipeline.report.page import render_terminal
from retention_pipeline.report.summary import RunSummary
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import create_layout, open_warehouse, sources_by_priority, write_run_context
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import table_digests

pytestmark = pytest.mark.xdist_group("dbt")

BEFORE, AFTER = date(2024, 2, 1), date(2024, 3, 31)

CONFIG = """\
business: joined
title: One customer, several systems
kind: transactional
timezone: Europe/Paris
currency: EUR
salt: nothing-to-see-here
first_day: 2024-01-01
identity: {primary: billing}
consent_basis: {email: {basis: legitimate_interest, note: customers of this very shop}}
feeds:
  customers:
"""
DELIVERED = "delivered: {pattern: '(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})'}"
RECORDS = "".join(
    f"    - {{files: exports/{source}_customers_*.csv, source: {source}, {DELIVERED},"
    " columns: {customer_id: id, created_at: created, email: email}}\n"
    for source in ("billing", "crm", "contact", "support")
)
FEEDS = f"""\
  identities:
    - files: exports/links_*.csv
      {DELIVERED}
      columns: {{customer_id: customer, source: system, source_id: id, linked_at: at, merged_into: into}}
  order_lines:
    - files: exports/orders_*.csv
      source: billing
      columns: {{order_id: id, customer_id: customer, ordered_at: at, quantity: units, unit_price: price}}
  tickets:
    - files: exports/tickets_*.csv
      source: support
      columns: {{ticket_id: id, customer_id: user, opened_at: at}}
  messages:
    - files: exports/mails_*.csv
      source: email
      columns:
        message_id: id
        customer_id: {{sql: sha256(lower(trim(address)))}}
        event: what
        occurred_at: at
      constants: {{channel: email}}
  suppressions:
    - files: exports/blocklist_*.csv
      {DELIVERED}
      columns: {{email: address, reason: why}}
      constants: {{channel: email}}
"""

FILES = {
    "billing_customers_2024-01-10.csv": """\
id,created,email
cus_1,2024-01-01,ann@example.com
cus_2,2024-01-02,bob@example.com
cus_3,2024-01-03,shared@example.com
cus_4,2024-01-03,
cus_5,2024-01-04,office@example.com
cus_6,2024-01-04,zoe@example.com
cus_7,2024-01-05,old@example.com
""",
    "support_customers_2024-01-10.csv": """\
id,created,email
s1,2024-01-06," Ann@Example.com "
s2,2024-01-06,shared@example.com
s3,2024-01-06,shared@example.com
s4,2024-01-06,lin@example.com
s5,2024-01-06,nobody@example.com
s6,2024-01-06,
""",
    "crm_customers_2024-01-10.csv": "id,created,email\nacme,2024-01-02,\nsolo,2024-01-02,\n",
    "contact_customers_2024-01-10.csv": """\
id,created,email
k1,2024-01-02,lin@example.com
k2,2024-01-02,max@example.com
""",
    "links_2024-01-10.csv": """\
customer,system,id,at,into
cus_5,crm,acme,2024-01-05,
crm:acme,contact,k1,2024-01-05,
crm:acme,contact,k2,2024-01-05,
cus_2,support,s7,2024-01-06,
""",
    "links_2024-03-10.csv": """\
customer,system,id,at,into
cus_6,support,s7,2024-03-05,
cus_7,billing,cus_7,2024-03-01,cus_6
support:s8,billing,cus_1,2024-03-02,
support:s8,billing,cus_4,2024-03-02,
""",
    "orders_2024.csv": "id,customer,at,units,price\n"
    + "".join(f"o{n},cus_{1 + n % 7},2024-01-{10 + n:02},1,{n + 1}\n" for n in range(14)),
    "tickets_2024.csv": "id,user,at\n" + "".join(f"t{n},s{n},2024-01-{15 + n}\n" for n in range(1, 9)),
    "mails_2024.csv": """\
id,address,what,at
m1,ANN@example.com,opened,2024-01-20
m2,stranger@example.com,opened,2024-01-20
m3,shared@example.com,opened,2024-01-20
""",
    "blocklist_2024-01-10.csv": "address,why\nLIN@example.com,unsubscribed\n",
    "blocklist_2024-03-10.csv": "address,why\nlin@example.com ,unsubscribed\nbob@example.com,Hard bounce\n",
}
LATER = ("links_2024-03-10.csv", "blocklist_2024-03-10.csv")


def _folder(folder: Path) -> Path:
    (folder / "exports").mkdir(parents=True)
    (folder / "retention.yaml").write_text(CONFIG + RECORDS + FEEDS, encoding="utf-8")
    return folder


def _load(folder: Path, paths: StatePaths, names: Iterable[str], day: date) -> None:
    """Let files arrive, load them, and say for which day the models are built."""
    for name in names:
        (folder / "exports" / name).write_text(FILES[name], encoding="utf-8")
    business = load_business(folder)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        for feed, load in load_feeds(con, business).items():
            assert not load.problems, feed
        write_run_context(con, business.config, day)


def _build(paths: StatePaths, *arguments: str) -> None:
    run = run_dbt([*(arguments or ("run",))], paths)
    assert run.success, run.failures


def _ask(paths: StatePaths, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """The business before the later files came."""
    folder, paths = _folder(tmp_path_factory.mktemp("joined")), StatePaths(tmp_path_factory.mktemp("then"))
    _load(folder, paths, [name for name in FILES if name not in LATER], BEFORE)
    _build(paths)
    return paths


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """The business with all files, tests of the models included."""
    folder, paths = _folder(tmp_path_factory.mktemp("joined")), StatePaths(tmp_path_factory.mktemp("now"))
    _load(folder, paths, FILES, AFTER)
    _build(paths, "build", "--exclude", "resource_type:unit_test")
    return paths


def _customers(paths: StatePaths) -> dict[object, object]:
    query = (
        "SELECT customer_id, canonical_id FROM intermediate.int_canonical_ids"
        " WHERE customer_id <> canonical_id AND customer_id NOT LIKE 'email:%'"
    )
    return dict(_ask(paths, query))


ACCOUNT = {"crm:acme": "cus_5", "contact:k1": "cus_5", "contact:k2": "cus_5", "support:s4": "cus_5"}


def test_links_and_addresses_join_what_is_one_customer(then: StatePaths) -> None:
    """An account with two contacts, a user of support who is one of them, an address in other letters, a link."""
    assert _customers(then) == ACCOUNT | {"support:s1": "cus_1", "support:s7": "cus_2"}


def test_merges_and_splits_hold_from_their_day_on(now: StatePaths) -> None:
    assert _customers(now) == ACCOUNT | {"support:s1": "cus_1", "support:s7": "cus_6", "cus_7": "cus_6"}


def test_every_model_sees_the_customer_and_not_the_id(now: StatePaths) -> None:
    tickets = dict(_ask(now, "SELECT ticket_id, customer_id FROM intermediate.int_tickets"))
    assert [tickets[f"t{n}"] for n in (1, 4, 7, 8)] == ["cus_1", "cus_5", "cus_6", "support:s8"]
    customers = {row[0] for row in _ask(now, "SELECT customer_id FROM intermediate.int_customers")}
    apart = {"crm:solo", "support:s2", "support:s3", "support:s5", "support:s6"}
    assert customers == {f"cus_{n}" for n in range(1, 7)} | apart
    # A mail tool knows people by their address alone.
    touches = _ask(now, "SELECT customer_id FROM intermediate.int_daily_touches WHERE customer_id NOT LIKE 'email:%'")
    assert touches == [("cus_1",)]
    # o5 and o6 are of cus_6 and cus_7, o12 and o13 too.
    revenue = _ask(now, "SELECT sum(net_revenue) FROM intermediate.int_orders WHERE customer_id = 'cus_6'")
    assert revenue == [(6 + 7 + 13 + 14,)]


def test_a_record_of_all_sources(now: StatePaths) -> None:
    query = "SELECT customer_id, created_at::DATE, email FROM intermediate.int_customer_records WHERE customer_id IN"
    found = _ask(now, f"{query} ('cus_5', 'cus_6') ORDER BY 1")
    # The record of the account is the older one; midnight of 2 January in Paris is 23 o'clock of the 1st.
    assert found == [("cus_5", date(2024, 1, 1), "office@example.com"), ("cus_6", date(2024, 1, 3), "zoe@example.com")]


def test_an_address_that_is_suppressed_suppresses_the_customer(then: StatePaths, now: StatePaths) -> None:
    query = "SELECT customer_id, channel, reason, since FROM intermediate.int_suppressions ORDER BY ALL"
    assert _ask(then, query) == [("cus_5", "email", "unsubscribed", date(2024, 1, 10))]
    assert _ask(now, query) == [
        ("cus_2", "email", "bounced", date(2024, 3, 10)),
        ("cus_5", "email", "unsubscribed", date(2024, 3, 10)),
    ]


def test_the_report_counts_every_id_once(now: StatePaths) -> None:
    assert _ask(now, "SELECT * FROM marts.identity_report ORDER BY source") == [
        # source, ids, customers, by key, by address, conflicting, ambiguous, unmatched, without address
        ("billing", 7, 6, 3, 0, 2, 1, 1, 0),
        ("contact", 2, 1, 2, 0, 0, 0, 0, 0),
        ("crm", 2, 2, 1, 0, 0, 0, 0, 1),
        ("email", 3, 3, 0, 1, 0, 1, 1, 0),
        ("support", 8, 8, 1, 2, 1, 2, 1, 1),
    ]


def test_the_page_shows_it(now: StatePaths) -> None:
    with duckdb.connect(str(now.warehouse), read_only=True) as con:
        sources = collect_identities(con)
    summary = RunSummary(title="Five systems", as_of=AFTER, currency="EUR", sources=sources)
    written = StringIO()
    render_terminal(summary, Console(file=written, width=100))
    page = written.getvalue()
    assert len(sources) == 5
    assert "One customer across systems" in page
    assert re.search(r"support +8 +8 +1 +2 +3 +2 *\n", page)


def test_what_could_not_be_joined_is_listed_by_pseudonym(now: StatePaths) -> None:
    rows = _ask(now, "SELECT * FROM intermediate.int_unjoined_ids")
    assert len(rows) == 12
    assert not any(str(value).startswith(("cus_", "support:", "crm:")) for row in rows for value in row)
    conflicts = _ask(
        now,
        "SELECT source, count(*) FROM intermediate.int_unjoined_ids WHERE reason = 'conflicting' GROUP BY 1 ORDER BY 1",
    )
    assert conflicts == [("billing", 2), ("support", 1)]


def test_links_of_later_days_change_nothing_for_a_day(
    then: StatePaths, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, paths = _folder(tmp_path_factory.mktemp("joined")), StatePaths(tmp_path_factory.mktemp("again"))
    _load(folder, paths, FILES, BEFORE)
    _build(paths)
    assert table_digests(paths.warehouse, ("intermediate", "marts")) == table_digests(
        then.warehouse, ("intermediate", "marts")
    )


def test_the_order_in_which_files_arrive_does_not_matter(
    now: StatePaths, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, paths = _folder(tmp_path_factory.mktemp("joined")), StatePaths(tmp_path_factory.mktemp("backwards"))
    for name in reversed(FILES):
        _load(folder, paths, [name], AFTER)
    _build(paths)
    assert table_digests(paths.warehouse, ("intermediate", "marts")) == table_digests(
        now.warehouse, ("intermediate", "marts")
    )


def test_sources_by_priority(tmp_path: Path) -> None:
    assert sources_by_priority(load_business(_folder(tmp_path)).config) == [
        "billing",
        "crm",
        "contact",
        "support",
        "email",
    ]


IDS = ("a", "b", "c", "crm:1", "crm:2", "crm:3", "support:1", "support:2", "support:3")
STATEMENTS = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.integers(1, 4), st.sampled_from((None, "a", "b", "c"))),
    max_size=7,
)
"""Customer, linked id, day, merged into."""
EMAILS = st.dictionaries(st.sampled_from(IDS), st.sampled_from(("p@example.com", "q@example.com", "r@example.com")))
CHAIN = (
    "int_sources", "int_identity_links", "int_identity_groups", "int_customer_emails", "int_email_holders",
    "int_identity_members", "int_canonical_ids",
)  # fmt: skip


@dataclass(frozen=True)
class Chain:
    """The models that resolve ids, as dbt runs them, in a database of their own."""

    con: duckdb.DuckDBPyConnection
    queries: dict[str, str]

    def resolve(self, statements: Sequence[tuple[str, str, int, str | None]], emails: dict[str, str]) -> dict[str, str]:
        """Id → id of the customer, for customers with several."""
        self.con.execute("DELETE FROM staging.stg_identities; DELETE FROM staging.stg_customers")
        links = [
            [customer, linked.rpartition(":")[0] or "billing", linked.rpartition(":")[2], datetime(2024, 1, day), into]
            for customer, linked, day, into in statements
        ]
        for link in links:
            self.con.execute("INSERT INTO staging.stg_identities VALUES (?, ?, ?, ?, ?, NULL)", link)
        for name, email in emails.items():
            created = datetime(2024, 1, 1) - timedelta(days=IDS.index(name) % 4)
            self.con.execute("INSERT INTO staging.stg_customers VALUES (?, ?, ?, NULL)", [name, created, email])
        for name, query in self.queries.items():
            self.con.execute(f"CREATE OR REPLACE TABLE intermediate.{name} AS {query}")
        return dict(self.con.execute("SELECT customer_id, canonical_id FROM intermediate.int_canonical_ids").fetchall())


@pytest.fixture(scope="module")
def chain(now: StatePaths) -> Iterator[Chain]:
    """The SQL of the models that resolve ids, with what they read."""
    compiled = now.dbt_target / "compiled"
    found = {name: next(compiled.rglob(f"models/intermediate/{name}.sql")) for name in CHAIN}
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(
            "ATTACH ':memory:' AS warehouse; USE warehouse; CREATE SCHEMA control; CREATE SCHEMA staging;"
            "CREATE SCHEMA intermediate; SET disabled_optimizers = 'join_order';"
            "CREATE TABLE control.run AS SELECT 'billing' AS primary_source, 'UTC' AS timezone;"
            "CREATE TABLE control.sources AS SELECT * FROM (VALUES ('billing', 0), ('crm', 1), ('support', 2))"
            " t(source, priority);"
            "CREATE TABLE staging.stg_identities (customer_id VARCHAR, source VARCHAR, source_id VARCHAR,"
            " linked_at TIMESTAMP, merged_into VARCHAR, known_on DATE);"
            "CREATE TABLE staging.stg_customers (customer_id VARCHAR, created_at TIMESTAMP, email VARCHAR,"
            " known_on DATE)"
        )
        yield Chain(con, {name: path.read_text(encoding="utf-8") for name, path in found.items()})


@given(statements=STATEMENTS, emails=EMAILS, seed=st.integers(0, 99))
@settings(max_examples=50)
def test_components_are_those_of_the_definition(
    chain: Chain, statements: list[tuple[str, str, int, str | None]], emails: dict[str, str], seed: int
) -> None:
    """Against a plain union of sets, and the same for rows in any order."""
    found = chain.resolve(statements, emails)
    shuffled = random.Random(seed).sample(statements, len(statements))
    again = random.Random(seed).sample(sorted(emails.items()), len(emails))
    assert chain.resolve(shuffled, dict(again)) == found
    by_customer: dict[str, set[str]] = {}
    for member, customer in found.items():
        by_customer.setdefault(customer, set()).add(member)
    assert all(customer in members for customer, members in by_customer.items())
    expected = _expected(statements, emails)
    assert {frozenset(members) for members in by_customer.values()} == {part for part in expected if len(part) > 1}


def _is_primary(identifier: str) -> bool:
    return ":" not in identifier


class _Parts:
    """Sets of ids that are joined two by two."""

    def __init__(self) -> None:
        self._part = {identifier: frozenset({identifier}) for identifier in IDS}

    def of(self, identifier: str) -> frozenset[str]:
        return self._part[identifier]

    def join(self, one: str, other: str) -> None:
        joined = self._part[one] | self._part[other]
        self._part |= dict.fromkeys(joined, joined)

    def all(self) -> set[frozenset[str]]:
        return set(self._part.values())


def _attach(parts: _Parts, edges: Iterable[tuple[str, str]]) -> None:
    """Join along the edges; of what would join several customers of the primary source, nothing to any of them."""
    between: list[tuple[str, str]] = []
    has_primary = {part: any(map(_is_primary, part)) for part in parts.all()}
    before = {identifier: parts.of(identifier) for identifier in IDS}
    for one, other in edges:
        if has_primary[before[one]] == has_primary[before[other]]:
            parts.join(one, other)
        else:
            between.append((one, other) if has_primary[before[other]] else (other, one))
    owners: dict[frozenset[str], set[frozenset[str]]] = {}
    for other, primary in between:
        owners.setdefault(parts.of(other), set()).add(parts.of(primary))
    for part, found in owners.items():
        if len(found) == 1:
            parts.join(min(part), min(next(iter(found))))


def _expected(statements: Sequence[tuple[str, str, int, str | None]], emails: dict[str, str]) -> set[frozenset[str]]:
    parts = _Parts()
    edges = []
    for linked in IDS:
        said = [(-day, customer) for customer, target, day, _ in statements if target == linked]
        if said:
            edges.append((min(said)[1], linked))
    for customer, linked in {(customer, linked) for customer, linked, _, _ in statements}:
        said_of = [(-day, into is None, into or "") for c, t, day, into in statements if (c, t) == (customer, linked)]
        into = min(said_of)[2]
        if into:
            edges.append((customer, into))
    _attach(parts, edges)
    by_email: list[tuple[str, str]] = []
    for address in set(emails.values()):
        holders = [identifier for identifier, email in emails.items() if email == address]
        groups = {parts.of(holder) for holder in holders}
        for source in ("", "crm", "support"):
            of_source = {parts.of(holder) for holder in holders if holder.rpartition(":")[0] == source}
            if len(of_source) > 1:
                groups = set()
        with_primary = [group for group in groups if any(map(_is_primary, group))]
        if len(with_primary) > 1:
            continue
        others = sorted(min(group) for group in groups if group not in with_primary)
        by_email += [(others[0], other) for other in others[1:]]
        by_email += [(others[0], min(group)) for group in with_primary if others]
    _attach(parts, by_email)
    return parts.all()
