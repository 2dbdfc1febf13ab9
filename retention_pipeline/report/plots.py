"""The pictures of the report and of the asset pages, as SVG.

Each takes plain rows and returns the bytes of one picture: small, without a background, in colours that can be read on
light and on dark pages, and the same bytes for the same rows. matplotlib is imported when the first one is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from math import sqrt
from typing import Any

INK = "#7b828c"
"""Text and axes; the page replaces it by its own text colour."""
BLUE, ORANGE, GREY = "#3d85c6", "#e08a3c", "#9aa3ad"

_MOST_COHORTS = 15
_OLDEST_AGE = 14
_MOST_MONTH_LABELS = 7
_NOTHING = "No data yet"
# Comments, the metadata block, indentation, turns by nothing, digits beyond a hundredth of a pixel, and names of parts
# that nothing refers to: half of the bytes, and names that would be there twice on a page with two pictures.
_SUPERFLUOUS = re.compile(
    rb"(?s:<!--.*?-->|<metadata>.*?</metadata>)|^\s+|(?<=[\w\"]) id=\"[a-zA-Z0-9.]+_\d+\""
    rb"| transform=\"rotate\(-?0 [^\"]*\)\"|(?<=\d\.\d\d)\d+(?=[^<>]*>)",
    re.MULTILINE,
)
_SETTINGS = {
    "svg.hashsalt": "retention",
    # Text stays text: smaller, searchable, and in the font of the page.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "path.simplify": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "axes.linewidth": 0.6,
    "axes.grid.axis": "y",
    "grid.color": INK,
    "grid.alpha": 0.2,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def cohort_heat_map(rows: Sequence[tuple[date, int, float | None, int]]) -> bytes:
    """Retention by cohort and age: (cohort month, age in months, retention rate, customers in the cohort).

    The rate is None where it cannot be observed yet.

    The newest cohorts are shown, and the same number of months.
    """
    known = [(cohort, age, rate) for cohort, age, rate, _ in rows if rate is not None and 0 < age <= _OLDEST_AGE]
    cohorts = sorted({cohort for cohort, _, _ in known})[-_MOST_COHORTS:]
    rates = {(cohorts.index(cohort), age): rate for cohort, age, rate in known if cohort in cohorts}
    with _axes(7.2, max(1.6, 0.62 + 0.24 * len(cohorts))) as (axes, picture):
        if rates:
            sizes = {cohort: size for cohort, _, _, size in rows}
            _draw_cells(axes, [(cohort, sizes[cohort]) for cohort in cohorts], rates)
        else:
            _draw_nothing(axes)
    return picture.getvalue()


def _draw_cells(axes: Any, cohorts: Sequence[tuple[date, int]], rates: dict[tuple[int, int], float]) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list("retention", ["#dbe8f4", "#3d85c6", "#123a63"])
    lowest, highest = min(rates.values()), max(rates.values())
    cells, shades = [], []
    for (row, age), rate in sorted(rates.items()):
        left, right, top, bottom = age - 0.48, age + 0.48, row - 0.46, row + 0.46
        cells.append([(left, top), (right, top), (right, bottom), (left, bottom)])
        shades.append((rate - lowest) / ((highest - lowest) or 1.0))
        ink = "#ffffff" if shades[-1] > 0.4 else "#1d2b3a"
        axes.text(age, row, f"{100 * rate:.0f}", ha="center", va="center", fontsize=7.5, color=ink)
    axes.add_collection(PolyCollection(cells, facecolors=[scale(shade) for shade in shades], linewidths=0))
    ages = sorted({age for _, age in rates})
    axes.set_xlim(ages[0] - 0.5, max(ages[-1], 6) + 0.5)
    axes.set_ylim(len(cohorts) - 0.5, -0.5)
    axes.set_xticks(ages)
    axes.set_yticks(range(len(cohorts)), [f"{cohort:%Y-%m} ({size:,})" for cohort, size in cohorts])
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("months later")


def churn_rate_plot(rows: Sequence[tuple[date, float | None, float | None, float | None]]) -> bytes:
    """Churn rate by month with its 95 % interval: (month, rate, low, high)."""
    known = [(month, rate, low, high) for month, rate, low, high in rows if rate is not None]
    with _axes(5.4, 2.5) as (axes, picture):
        if known:
            months = [month for month, _, _, _ in known]
            low = [100 * (rate if low is None else low) for _, rate, low, _ in known]
            high = [100 * (rate if high is None else high) for _, rate, _, high in known]
            axes.fill_between(months, low, high, color=ORANGE, alpha=0.25, linewidth=0)
            axes.plot(months, [100 * rate for _, rate, _, _ in known], color=ORANGE, linewidth=1.6, marker="o", ms=3)
            axes.set_ylim(0, max(*high, 1) * 1.08)
            axes.set_ylabel("% of opening customers")
            _month_axis(axes, months)
        else:
            _draw_nothing(axes)
    return picture.getvalue()


def active_customers_plot(rows: Sequence[tuple[date, float | None]]) -> bytes:
    """Active customers at the end of each month: (month, customers)."""
    known = [(month, customers) for month, customers in rows if customers is not None]
    with _axes(5.4, 2.5) as (axes, picture):
        if known:
            months, customers = [month for month, _ in known], [value for _, value in known]
            axes.fill_between(months, customers, color=BLUE, alpha=0.18, linewidth=0)
            axes.plot(months, customers, color=BLUE, linewidth=1.6, marker="o", ms=3)
            axes.set_ylim(0, max(*customers, 1) * 1.08)
            axes.set_ylabel("active customers")
            axes.yaxis.set_major_formatter(_thousands)
            _month_axis(axes, months)
        else:
            _draw_nothing(axes)
    return picture.getvalue()


def calibration_plot(rows: Sequence[tuple[float | None, float | None, int]]) -> bytes:
    """Predicted against observed churn: (mean predicted, share observed, customers) by bin, with 95 % intervals."""
    known = [(p, o, n) for p, o, n in rows if p is not None and o is not None and n]
    with _axes(3.9, 3.4) as (axes, picture):
        if known:
            predicted, observed = [100 * p for p, _, _ in known], [100 * o for _, o, _ in known]
            ends = [_wilson(o, n) for _, o, n in known]
            low = [max(0.0, value - 100 * end[0]) for value, end in zip(observed, ends, strict=True)]
            high = [max(0.0, 100 * end[1] - value) for value, end in zip(observed, ends, strict=True)]
            limit = min(100.0, max(*predicted, *(100 * end for _, end in ends)) * 1.06)
            axes.plot([0, limit], [0, limit], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
            axes.errorbar(predicted, observed, [low, high], color=BLUE, fmt="o", ms=4, elinewidth=1.2)
            axes.set_xlim(0, limit)
            axes.set_ylim(0, limit)
            axes.set_aspect("equal")
            axes.set_xlabel("predicted churn, %")
            axes.set_ylabel("observed churn, %")
        else:
            _draw_nothing(axes)
    return picture.getvalue()


def list_sizes_plot(rows: Sequence[tuple[str, int, int]]) -> bytes:
    """Customers by play and arm: (play, treatment, control)."""
    ordered = sorted(rows, key=lambda row: (row[1] + row[2], row[0]))
    with _axes(7.2, 0.8 + 0.34 * max(len(ordered), 2)) as (axes, picture):
        if ordered:
            plays = [play.replace("_", " ") for play, _, _ in ordered]
            treated, controls = [row[1] for row in ordered], [row[2] for row in ordered]
            axes.barh(plays, treated, color=BLUE, height=0.62, label="treatment")
            axes.barh(plays, controls, left=treated, color=GREY, height=0.62, label="control")
            for place, (_, treatment, control) in enumerate(ordered):
                axes.annotate(f"{treatment:,} + {control:,}", (treatment + control, place), xytext=(4, 0),
                              textcoords="offset points", va="center", fontsize=8)  # fmt: skip
            axes.set_xlim(0, max(max(t + c for _, t, c in ordered), 1) * 1.16)
            axes.xaxis.set_major_formatter(_thousands)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.tick_params(axis="y", length=0)
            axes.legend(loc="lower right", fontsize=8)
        else:
            _draw_nothing(axes)
    return picture.getvalue()


@contextmanager
def _axes(width: float, height: float) -> Iterator[tuple[Any, BytesIO]]:
    """Axes of a new picture, without pyplot's global state; the picture is there when the block ends."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    picture = BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure.subplots(), picture
        drawn = BytesIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    picture.write(_SUPERFLUOUS.sub(b"", drawn.getvalue()))


def _draw_nothing(axes: Any) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, _NOTHING, ha="center", va="center", transform=axes.transAxes)


def _month_axis(axes: Any, months: Sequence[date]) -> None:
    """A label at every n-th month, counted back from the newest."""
    step = -(-len(months) // _MOST_MONTH_LABELS)
    shown = months[::-1][::step]
    axes.set_xticks(shown, [f"{month:%Y-%m}" for month in shown])
    axes.grid(visible=True)


def _thousands(value: float, _position: int) -> str:
    return f"{value:,.0f}"


def _wilson(share: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's formula."""
    z = 1.959963984540054
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return (centre - spread) / (1 + z * z / trials), (centre + spread) / (1 + z * z / trials)
