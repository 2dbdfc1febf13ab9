"""The `retention.yaml` of a simulated business, ready to run."""

from __future__ import annotations

from pathlib import Path

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator.knobs import Knobs

LABEL = "ATTRIBUTION.md"
_FIRST_LINE = "# Simulated"
_TEMPLATES = Path(__file__).parent / "businesses"


def business_text(knobs: Knobs, name: str) -> str:
    """The text of `retention.yaml` for a business called `name`."""
    template = (_TEMPLATES / f"{knobs.kind}.yaml").read_text(encoding="utf-8")
    return template.replace("{business}", name).replace("{first_day}", knobs.first_day.isoformat())


def check_replaceable(out: Path) -> None:
    """Exports are only ever replaced where a simulation wrote them.

    Raises:
        RetentionError: `out` holds exports of something else.
    """
    label = out / LABEL
    is_simulated = label.is_file() and label.read_text(encoding="utf-8").startswith(_FIRST_LINE)
    if not is_simulated and any((out / "exports").glob("*")):
        raise RetentionError(
            "the folder holds exports that no simulation wrote", where=out.name,
            expected=f"a new folder, or one whose {LABEL} says that it is simulated", way_out="give another folder",
        )  # fmt: skip


def write_business(knobs: Knobs, out: Path) -> None:
    """Write `retention.yaml` and the label that says that all is simulated; a `retention.yaml` that is there stays."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "retention.yaml"
    if not path.exists():
        name = "".join(letter if letter.isalnum() else "_" for letter in out.name.lower()).strip("_") or "simulated"
        path.write_text(business_text(knobs, name if name[0].isalpha() else f"b_{name}"), encoding="utf-8")
    config = " --config <folder>/knobs.yaml" if (out / "knobs.yaml").exists() else ""
    size = f"--customers {knobs.customers} --days {knobs.days}"
    command = f"retention simulate --kind {knobs.kind} {size} --seed {knobs.seed}{config} --out <folder>"
    (out / LABEL).write_text(
        f"""{_FIRST_LINE}

Everything in `exports/` is simulated: no customer, address or text in it belongs to anybody. It was written by

    {command}

and the same command writes the same bytes again (other knobs come from the file named above, or have their defaults;
docs/simulator.md describes them). What really happened in this business, and why, is written to a folder of its own
beside it, which no pipeline reads. Addresses end in example.com; telephone numbers are of a range kept for fiction.
""",
        encoding="utf-8",
    )
