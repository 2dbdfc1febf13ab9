"""Every preset against a file in its vendor's own shape: what it loads, what it leaves out, and how it is recognised.

The fixtures are data: a folder per vendor in `tests/fixtures/vendors/` with files named as the presets expect them,
`<preset>.golden.csv` (the canonical rows, sorted, empty where null) and `expected.yaml` (per preset: rows `read` and
`skipped`, and `quarantined` as a list of "line column rule"). A new preset without them fails here.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path, PurePosixPath

import pytest
import yaml

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.presets import Preset, presets, recognised
from retention_pipeline.workspace.schema import FileMapping
from tests.unit.preset_exports import load_preset, mapped_columns

VENDORS = Path(__file__).parents[1] / "fixtures" / "vendors"

PRESETS = sorted(presets())


def export_files(vendor: str) -> list[Path]:
    """The files among a vendor's fixtures that stand for exports."""
    files = sorted((VENDORS / vendor).iterdir())
    return [path for path in files if ".golden." not in path.name and path.name != "expected.yaml"]


def fixture_files(preset: Preset) -> list[Path]:
    """The preset's own files among the vendor's fixtures."""
    pattern = PurePosixPath(preset.mapping["files"]).name
    return [path for path in export_files(preset.vendor) if path.match(pattern)]


def expected_counts(preset: Preset) -> dict:
    """What `expected.yaml` says about the preset."""
    document = yaml.safe_load((VENDORS / preset.vendor / "expected.yaml").read_text(encoding="utf-8"))
    return document[preset.name.partition(".")[2]]


def header(path: Path, mapping: FileMapping) -> list[str]:
    """The columns of a text file; of JSON lines the dotted paths."""
    text = path.read_text(encoding="utf-8-sig" if mapping.encoding == "utf-8" else mapping.encoding)
    if mapping.format == "jsonl":
        return sorted({name for line in text.splitlines() if line.strip() for name in _paths("", json.loads(line))})
    delimiter = "\t" if mapping.format == "tsv" else mapping.delimiter
    return next(csv.reader(text.splitlines(), delimiter=delimiter))


def _paths(before: str, value: dict) -> list[str]:
    found = []
    for key, inner in value.items():
        found.append(before + key)
        if isinstance(inner, dict):
            found.extend(_paths(f"{before}{key}.", inner))
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_its_fixture_as_worked_out_by_hand(name, tmp_path):
    preset = presets()[name]
    golden_path = VENDORS / preset.vendor / f"{name.partition('.')[2]}.golden.csv"
    with golden_path.open(encoding="utf-8", newline="") as file:
        golden = list(csv.DictReader(file))
    loaded = load_preset(tmp_path, preset, export_files(preset.vendor))
    assert list(golden[0]) == mapped_columns(preset)
    assert _sorted(loaded.rows) == _sorted(golden)
    expected = expected_counts(preset)
    assert loaded.quarantined == expected.get("quarantined", [])
    assert (loaded.read, loaded.skipped) == (expected["read"], expected.get("skipped", 0))
    assert loaded.read == loaded.loaded + loaded.skipped + len(loaded.quarantined)


def _sorted(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: list(row.values()))


@pytest.mark.parametrize("name", PRESETS)
def test_an_export_is_recognised_by_its_own_presets_alone(name):
    preset = presets()[name]
    mapping = FileMapping.model_validate({"preset": name})
    siblings = [other.name for other in presets().values() if set(other.recognise) == set(preset.recognise)]
    assert {other.partition(".")[0] for other in siblings} == {preset.vendor}
    files = fixture_files(preset)
    assert files, f"no fixture matches {preset.mapping['files']}"
    for path in files:
        assert [other.name for other in recognised(header(path, mapping))] == siblings


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is(name):
    preset = presets()[name]
    assert preset.title and preset.description.endswith(".")
    assert preset.feed in CONTRACTS
    assert len(preset.recognise) >= 3
    assert preset.mapping["files"].startswith("exports/**/")
    named = {*preset.mapping["columns"], *preset.mapping.get("constants", {})}
    assert named <= {column.name for column in CONTRACTS[preset.feed].columns}
    assert set(CONTRACTS[preset.feed].required) <= named


def test_every_golden_table_belongs_to_a_preset():
    golden = {f"{path.parent.name}.{path.name.removesuffix('.golden.csv')}" for path in VENDORS.glob("*/*.golden.csv")}
    assert golden == set(PRESETS)
