"""The page in a browser: complete, self-contained, and safe whatever names and messages hold."""

# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_pipeline.report.html import render_html, write_html
from retention_pipeline.report.pictures import draw_pictures
from retention_pipeline.report.summary import (
    CheckSummary,
    FeedSummary,
    Figure,
    Place,
    PlaySummary,
    RunSummary,
    Unit,
)
from tests.unit.report_samples import DAY, STATE, build_warehouse, full_summary

FOLDER = STATE / "report"
VOID = {"meta", "br", "img", "link", "hr", "input"}
HOSTILE = "</title><script src=//evil.example/x.js>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """The elements, addresses and text of a page; fails where elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style",) and data.strip():
            self.text.append(data.strip())

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def addresses(self) -> list[str]:
        names = ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background")
        return [value or "" for _, attrs in self.elements for name, value in attrs.items() if name in names]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    path = build_warehouse(tmp_path_factory.mktemp("report") / "warehouse.duckdb")
    with duckdb.connect(str(path), read_only=True) as con:
        yield draw_pictures(con)


def assert_harmless(page: Page, text: str) -> None:
    """Nothing runs, and nothing is loaded from anywhere."""
    assert page.tags().isdisjoint({"script", "iframe", "object", "embed", "link", "base", "form", "img"})
    assert [name for _, attrs in page.elements for name in attrs if name.startswith("on")] == []
    for address in page.addresses():
        assert address.startswith(("#", "../")), address
    assert "url(#" in text or "url(" not in text
    assert "@import" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_the_page_shows_every_part_in_order(pictures: dict[str, bytes]) -> None:
    text = render_html(full_summary(), pictures, FOLDER)
    page = Page(text)
    assert_harmless(page, text)
    shown = "\n".join(page.text)
    places = [
        shown.index(part)
        for part in (
            "Corner Shop\n", "State at the end of 9 December 2025", "✓ 2 checks passed, 1 failed. Published.",
            "What needs a look", "is fresh", "The newest ticket is not too old.", "-2.0 pp on October", "November 2025",
            "Cohorts", "Churn model", "0.761–0.806", "overdue ratio", "Campaign lists", "Save customers at risk",
            "no consent 70, in cooldown 30", "nobody is expected to bring a profit", "Feeds", "1,067,371",
            "silent for 67 days", "Checks", "2 passed, by table", "Seconds by step: 28.5 in all", "churn model",
            "Where to look next", "lists/2025-12-09", "serving.duckdb",
        )
    ]  # fmt: skip
    assert sorted(places[:10]) == places[:10]
    assert [tag for tag, _ in page.elements].count("svg") == 5
    assert "profit, GBP" in shown
    assert len(text.encode()) < 80_000


def test_the_browser_is_told_to_load_nothing() -> None:
    page = Page(render_html(full_summary(), {}, FOLDER))
    (policy,) = [attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_same_input_gives_the_same_bytes_wherever_the_state_lies(
    pictures: dict[str, bytes], tmp_path: Path
) -> None:
    written = []
    for state in (tmp_path / "a", tmp_path / "a", tmp_path / "b" / "c"):
        places = (Place("Lists", state / "lists" / "2025-12-09"), Place("Database", state / "serving.duckdb"))
        page = write_html(replace(full_summary(), look_next=places), pictures, state / "report")
        assert list(page.parent.iterdir()) == [page]
        written.append(page.read_bytes())
    assert len(set(written)) == 1


def test_links_go_from_the_page_to_its_neighbours() -> None:
    page = Page(render_html(full_summary(), {}, FOLDER))
    # The page does not point at itself.
    assert page.addresses() == ["../lists/2025-12-09", "../serving.duckdb"]
    assert "/state/shop" not in render_html(full_summary(), {}, FOLDER)


@given(hostile=st.one_of(st.just(HOSTILE), st.text(alphabet="<>&\"'/=abc `\n", min_size=1, max_size=40)))
def test_nothing_that_is_shown_can_become_part_of_the_page(hostile: str) -> None:
    summary = RunSummary(
        title=hostile,
        as_of=DAY,
        currency="GBP",
        feeds=(FeedSummary(hostile, 1, 2, 1, 1, files_rejected=1, message=hostile, rules=((hostile, 1),)),),
        month=date(2025, 11, 1),
        figures=(Figure("revenue", hostile, Unit.MONEY, 1, 2),),
        model=replace(full_summary().model, algorithm=hostile, model_id=hostile, importance=((hostile, 0.1),)),
        plays=(PlaySummary(hostile, hostile, 1, 1, 1, 1, 1, ((hostile, 1),), hostile),),
        checks=(
            CheckSummary(hostile, hostile, passed=False, description=hostile),
            CheckSummary(hostile, hostile, passed=True),
        ),
        failures=(hostile,),
        held_back=(hostile,),
        notes=(hostile,),
        seconds=((hostile, 1.0),),
        look_next=(Place(hostile, STATE / "lists" / "x", hostile),),
    )
    text = render_html(summary, {}, FOLDER)
    page, plain = Page(text), Page(render_html(_with_plain_names(summary), {}, FOLDER))
    assert_harmless(page, text.replace(hostile, ""))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]


def _with_plain_names(summary: RunSummary) -> RunSummary:
    """The same with a harmless word in every place."""
    plain = "word"
    return replace(
        summary,
        title=plain,
        feeds=(FeedSummary(plain, 1, 2, 1, 1, files_rejected=1, message=plain, rules=((plain, 1),)),),
        figures=(Figure("revenue", plain, Unit.MONEY, 1, 2),),
        model=replace(summary.model, algorithm=plain, model_id=plain, importance=((plain, 0.1),)),
        plays=(PlaySummary(plain, plain, 1, 1, 1, 1, 1, ((plain, 1),), plain),),
        checks=(
            CheckSummary(plain, plain, passed=False, description=plain),
            CheckSummary(plain, plain, passed=True),
        ),
        failures=(plain,),
        held_back=(plain,),
        notes=(plain,),
        seconds=((plain, 1.0),),
        look_next=(Place(plain, STATE / "lists" / "x", plain),),
    )


@pytest.mark.parametrize("part", ["model", "plays", "month", "figures", "feeds", "checks", "seconds", "look_next"])
def test_a_part_that_is_missing_leaves_the_others_alone(part: str) -> None:
    empty = getattr(RunSummary("Shop", DAY, "GBP"), part)
    summary = replace(full_summary(), **{part: empty}, **({"figures": ()} if part == "month" else {}))
    text = render_html(summary, {}, FOLDER)
    titles = ["November 2025", "Churn model", "Campaign lists", "Feeds", "Seconds by step", "Where to look next"]
    assert "None" not in text
    assert "<table>\n\n" not in text
    assert sum(f"<h2>{title}" in text for title in titles) >= len(titles) - 1
    Page(text)


def test_a_bare_failed_day() -> None:
    summary = RunSummary("Shop", DAY, "GBP", succeeded=False, failures=("load_feeds: cut off\n  way out: copy again",))
    page = Page(render_html(summary, {}, FOLDER))
    assert page.text[2:] == [
        "State at the end of 9 December 2025",
        "✗ The day is not complete: no checks were run. Nothing is published yet.",
        "What needs a look",
        "load_feeds: cut off\n  way out: copy again",
    ]


def test_why_a_feed_is_held_back() -> None:
    feed = FeedSummary("tickets", 1, 9, 9, 0, files_rejected=1, message="tickets.csv: no column opened_at")
    summary = RunSummary("Shop", DAY, "GBP", feeds=(feed,), held_back=("tickets is held back: no column",))
    text = " ".join(Page(render_html(summary, {}, FOLDER)).text)
    assert "1 not taken; tickets.csv: no column opened_at" in text
    assert "tickets is held back: no column" in text


def test_a_png_is_shown_as_it_is() -> None:
    text = render_html(full_summary(), {"cohorts": b"\x89PNG\r\n\x1a\nrest"}, FOLDER)
    assert 'src="data:image/png;base64,iVBORw0KGgpyZXN0"' in text
