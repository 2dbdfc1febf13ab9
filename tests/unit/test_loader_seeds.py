"""The sample tables of a warehouse loader: each that fits a feed loads, and of every other one it is said why not.

`tests/fixtures/loader_seeds/<vendor>/` holds the tables that the presets of `<vendor>_loader` use, and `fits.yaml`:
what each preset reads of them, which are only looked up in, and which tables of the original fit no feed.
"""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

import pytest
import yaml

from retention_pipeline.feeds.presets import Preset, presets, recognised
from tests.unit.preset_exports import load_preset

SEEDS = Path(__file__).parents[1] / "fixtures" / "loader_seeds"
VENDORS = sorted(path.parent.name for path in SEEDS.glob("*/fits.yaml"))
FITS = {vendor: yaml.safe_load((SEEDS / vendor / "fits.yaml").read_text(encoding="utf-8")) for vendor in VENDORS}
CASES = [(vendor, export) for vendor in VENDORS for export in FITS[vendor]["loads"]]


def tables(vendor: str, pattern: str = "*.csv") -> list[Path]:
    """The vendor's sample tables that a pattern of files matches, by the last part of the pattern."""
    return sorted((SEEDS / vendor).glob(PurePosixPath(pattern).name))


def preset_of(vendor: str, export: str) -> Preset:
    """The preset of a loader's export."""
    return presets()[f"{vendor}_loader.{export}"]


@pytest.mark.parametrize(("vendor", "export"), CASES)
def test_a_sample_table_loads_without_a_bad_row(vendor, export, tmp_path):
    expected = FITS[vendor]["loads"][export]
    loaded = load_preset(tmp_path, preset_of(vendor, export), tables(vendor))
    found = {"read": loaded.read, "skipped": loaded.skipped, "loaded": loaded.loaded}
    assert found == {key: expected[key] for key in found}
    assert loaded.quarantined == []
    assert loaded.loaded > 0 or expected["why"]


@pytest.mark.parametrize(("vendor", "export"), CASES)
def test_a_sample_table_is_recognised_by_its_own_presets_alone(vendor, export):
    preset = preset_of(vendor, export)
    siblings = [other.name for other in presets().values() if set(other.recognise) == set(preset.recognise)]
    main = tables(vendor, preset.mapping["files"])
    assert main
    for table in main:
        with table.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file))
        assert [other.name for other in recognised(header)] == siblings


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_sample_table_is_forgotten(vendor):
    fits = FITS[vendor]
    chosen = [preset for preset in presets().values() if preset.vendor == f"{vendor}_loader"]
    assert sorted(f"{vendor}_loader.{export}" for export in fits["loads"]) == [preset.name for preset in chosen]
    lookups = [lookup for preset in chosen for lookup in preset.mapping.get("lookups", {}).values()]
    main = {table.name for preset in chosen for table in tables(vendor, preset.mapping["files"])}
    looked_up = {table.name for lookup in lookups for table in tables(vendor, lookup["files"])}
    assert looked_up - main == set(fits.get("lookups") or [])
    assert main | looked_up == {table.name for table in tables(vendor)}
    assert not (main | looked_up) & set(fits["fits_no_feed"])
    assert all(fits["fits_no_feed"].values())


def test_the_sample_tables_carry_their_licence():
    assert "Apache License" in (SEEDS / "LICENSE.fivetran-apache2.txt").read_text(encoding="utf-8")
    assert "Changed" in (SEEDS / "ATTRIBUTION.md").read_text(encoding="utf-8")
