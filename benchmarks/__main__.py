"""`make bench`: the steps of a run beside bare DuckDB and scikit-learn, and the ratio of the two."""

from __future__ import annotations

import argparse
import shutil
import sys
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.dataset import write_shop
from benchmarks.history import remove_next_day, write_history, write_next_day
from benchmarks.measuring import Measured, measure
from benchmarks.reading import FEEDS, FORMATS, write_export
from retention_pipeline.settings import state_root

STEPS = ("load", "models", "fit")
SMALL_ROWS = 1_000
HISTORIES = (1, 4, 16)


def main() -> int:
    """Measure each size once; sizes are measured in one call so that their ratios come from one machine and hour."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000], help="order lines; several sizes allowed")
    parser.add_argument("--only-reading", action="store_true", help="nothing but reading beside COPY")
    parser.add_argument(
        "--only-days", action="store_true", help="nothing but the day after a history of 1, 4, 16 years"
    )
    parser.add_argument("--keep", action="store_true", help="keep the generated exports and states")
    options = parser.parse_args()
    console = Console(width=110)
    totals: dict[int, tuple[float, float]] = {}
    root = state_root() / "bench"
    if options.only_days:
        _days(root, console, options.keep)
        return 0
    for rows in options.rows:
        _reading(root, rows, console, options.keep)
    if options.only_reading:
        return 0
    first, again = _fixed_cost(root, console, options.keep)
    for rows in options.rows:
        totals[rows] = _one_size(root, rows, console, options.keep)
    console.print(
        f"Fixed cost of a run ({SMALL_ROWS:,} lines): {first.seconds:.1f} s the first time, "
        f"{again.seconds:.1f} s after, {again.mebibytes:.0f} MiB"
    )
    _days(root, console, options.keep)
    sizes = sorted(totals)
    for small, large in pairwise(sizes):
        ours = totals[large][0] - totals[small][0]
        bare = totals[large][1] - totals[small][1]
        console.print(
            f"Marginal ratio from {small:,} to {large:,} lines: {ours:.1f} s / {bare:.1f} s = {ours / bare:.2f}"
        )
    return 0


def _reading(root: Path, rows: int, console: Console, keep: bool) -> None:
    """The rate of reading one file of each format, beside `COPY`: the better of two, one after the other."""
    console.print("Reading a file into raw, beside COPY into a table of its columns, and of the columns of raw.")
    table = Table("", "", "", "rows/s", "cpu s", "MiB", "ratio", "cpu ratio", title=f"reading {rows:,} rows")
    for feed in FEEDS:
        for kind in FORMATS:
            folder = root / f"reading_{feed}_{kind}_{rows}"
            console.print(f"  {feed}, {kind} ...")
            write_export(folder, feed, kind, rows)
            found: dict[str, list[Measured]] = {"pipeline": [], "COPY": [], "COPY, as raw": []}
            for _ in range(2):
                _remove_state(folder)
                found["pipeline"].append(measure("load", str(folder)))
                found["COPY"].append(measure("copy", str(folder), feed, kind, "own"))
                found["COPY, as raw"].append(measure("copy", str(folder), feed, kind, "raw"))
            seconds = {name: min(one.seconds for one in runs) for name, runs in found.items()}
            processor = {name: min(one.processor_seconds for one in runs) for name, runs in found.items()}
            for name, runs in found.items():
                memory = f"{max(one.mebibytes for one in runs):.0f}"
                ratios = [f"{one[name] / one['pipeline']:.2f}" for one in (seconds, processor)]
                rate = f"{rows / seconds[name]:,.0f}"
                table.add_row(feed, kind, name, rate, f"{processor[name]:.1f}", memory, *ratios)
            if not keep:
                shutil.rmtree(folder)
    console.print(table)


def _fixed_cost(root: Path, console: Console, keep: bool) -> tuple[Measured, Measured]:
    """A run with next to no data, in a new state and again in the same: imports, dbt, Dagster and the checks."""
    folder = write_shop(root / str(SMALL_ROWS), SMALL_ROWS)
    console.print(f"Two whole runs of {SMALL_ROWS:,} lines ...")
    _remove_state(folder)
    measured = measure("whole", str(folder)), measure("whole", str(folder))
    if not keep:
        shutil.rmtree(folder)
    return measured


def _one_size(root: Path, rows: int, console: Console, keep: bool) -> tuple[float, float]:
    console.print(f"Writing exports of {rows:,} lines ...")
    folder = write_shop(root / str(rows), rows)
    _remove_state(folder)
    table = Table("step", "pipeline s", "MiB", "bare s", "MiB", "ratio", title=f"{rows:,} order lines")
    ours_total = bare_total = 0.0
    for step in STEPS:
        console.print(f"  {step} ...")
        ours, bare = measure(step, str(folder)), measure(f"bare_{step}", str(folder))
        ours_total += ours.seconds
        bare_total += bare.seconds
        table.add_row(step, *_cells(ours), *_cells(bare), f"{ours.seconds / bare.seconds:.2f}")
    table.add_row("sum", f"{ours_total:.1f}", "", f"{bare_total:.1f}", "", f"{ours_total / bare_total:.2f}")
    _remove_state(folder)
    console.print("  whole run, then again with nothing new ...")
    first, again = measure("whole", str(folder)), measure("whole", str(folder))
    table.add_row("whole run", *_cells(first), "", "", "")
    table.add_row("nothing new", *_cells(again), "", "", "")
    console.print(table)
    if not keep:
        shutil.rmtree(folder)
    return ours_total, bare_total


def _days(root: Path, console: Console, keep: bool) -> None:
    """The cost of one day more: same customers, same new rows, histories of other lengths."""
    models = root / "days_models"
    shutil.rmtree(models, ignore_errors=True)
    found: dict[int, Measured] = {}
    for times in HISTORIES:
        folder = write_history(root / f"days_{times}", times)
        remove_next_day(folder)
        _remove_state(folder)
        console.print(f"  everything up to the day before, {times} times the history ...")
        measure("day_before", str(folder), str(models))
        write_next_day(folder)
        console.print("  the day after ...")
        found[times] = measure("day_after", str(folder))
        if not keep:
            shutil.rmtree(folder)
    table = Table(
        "step",
        *(f"{times} x: s (cpu s)" for times in HISTORIES),
        "growth",
        "of cpu",
        title="the day after, no training",
    )
    first, last = found[HISTORIES[0]], found[HISTORIES[-1]]
    for step in first.steps:
        cells = [f"{one.steps[step][0]:.1f} ({one.steps[step][1]:.1f})" for one in found.values()]
        table.add_row(step, *cells, *(f"{last.steps[step][at] / first.steps[step][at]:.2f}" for at in (0, 1)))
    sums = {times: [sum(step[at] for step in one.steps.values()) for at in (0, 1)] for times, one in found.items()}
    growth = [sums[HISTORIES[-1]][at] / sums[HISTORIES[0]][at] for at in (0, 1)]
    table.add_row(
        "sum", *(f"{wall:.1f} ({busy:.1f})" for wall, busy in sums.values()), *(f"{one:.2f}" for one in growth)
    )
    console.print(table)


def _cells(measured: Measured) -> tuple[str, str]:
    return f"{measured.seconds:.1f}", f"{measured.mebibytes:.0f}"


def _remove_state(folder: Path) -> None:
    shutil.rmtree(folder / "state", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
