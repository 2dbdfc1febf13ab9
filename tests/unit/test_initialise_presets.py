"""`retention init` on exports of vendors that are known by name: all fixtures of the presets."""

import shutil
from pathlib import Path

import pytest
import yaml

from retention_pipeline.feeds.presets import presets
from retention_pipeline.settings import PROJECT
from retention_pipeline.workspace.check import render_check
from tests.unit.export_folders import configured, init, init_and_check, orders, put

FIXTURES = PROJECT / "tests" / "fixtures" / "vendors"


def all_fixtures(folder: Path) -> Path:
    """The export files of all vendors, each vendor in a folder of its own."""
    for path in sorted(FIXTURES.rglob("*")):
        if path.is_file() and not path.name.endswith(".golden.csv") and path.name != "expected.yaml":
            target = folder / "exports" / path.relative_to(FIXTURES)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder


def used_presets(config: dict) -> set[str]:
    return {mapping["preset"] for mappings in config["feeds"].values() for mapping in mappings if "preset" in mapping}


def test_all_vendors_in_one_folder_need_no_editing(tmp_path):
    found = init(all_fixtures(tmp_path / "all_vendors"))
    good, text = render_check(tmp_path / "all_vendors")
    assert good, text
    config = configured(tmp_path / "all_vendors")
    expected = {
        preset.name
        for preset in presets().values()
        if not preset.is_on_request
        and not set(preset.yields_to) & set(presets())
        and (FIXTURES / preset.vendor / f"{preset.name.split('.')[1]}.golden.csv").exists()
    }
    # Two files of one vendor may hold the same rows in two shapes; only what a preset yields to is left out.
    assert expected - used_presets(config) == set()
    assert [table.family.title for table in found.unknown if not table.is_part] == []
    assert found.unreadable == ()
    guessed = [outcome.proposal.feed for outcome in found.outcomes if outcome.proposal.preset is None]
    assert set(guessed) <= {"fx_rates"}
    assert config["kind"] == "hybrid" and config["identity"]["primary"]
    assert {"onboarding", "winback"} < set(config["plays"])


@pytest.mark.parametrize("vendor", ["stripe", "shopify", "zendesk"])
def test_a_vendor_is_recognised_under_any_file_name_and_delimiter(tmp_path, vendor):
    header_of = {preset.name: preset for preset in presets().values() if preset.vendor == vendor}
    for path in sorted((FIXTURES / vendor).glob("*.csv")):
        if not path.name.endswith(".golden.csv"):
            text = path.read_text(encoding="utf-8-sig")
            put(tmp_path, f"any/{path.stem[::-1]}.txt", text.encode("utf-16"))
    put(tmp_path, "orders.csv", orders())
    init(tmp_path)
    config = configured(tmp_path)
    mappings = [mapping for feed in config["feeds"].values() for mapping in feed if "preset" in mapping]
    assert mappings and {mapping["preset"] for mapping in mappings} <= set(header_of)
    assert all(mapping["encoding"] == "utf-16" for mapping in mappings)
    assert all(mapping["files"].startswith("any/") for mapping in mappings)


def test_only_what_differs_from_the_preset_is_written(tmp_path):
    for path in sorted((FIXTURES / "stripe").glob("stripe_subscriptions*.csv")):
        put(tmp_path, f"exports/{path.name}", path.read_bytes())
    config = init_and_check(tmp_path)
    (mapping,) = config["feeds"]["subscriptions"]
    assert mapping == {"preset": "stripe.subscriptions", "files": "exports/stripe_subscriptions.csv"}
    assert config["identity"] == {"primary": "stripe"} and config["kind"] == "subscription"


def test_a_preset_that_yields_is_a_comment_beside_the_better_one(tmp_path):
    shutil.copytree(
        FIXTURES / "stripe_loader", tmp_path / "exports", ignore=shutil.ignore_patterns("*.golden.csv", "*.yaml")
    )
    used = used_presets(init_and_check(tmp_path))
    assert "stripe_loader.subscription_history" in used and "stripe_loader.subscriptions" not in used
    text = (tmp_path / "retention.yaml").read_text()
    assert "# - preset: stripe_loader.subscriptions\n" in text
    for name in ("subscription_history_data.csv",):
        (tmp_path / "exports" / name).unlink()
    init(tmp_path, force=True)
    assert "stripe_loader.subscriptions" in used_presets(configured(tmp_path))


def test_a_missing_lookup_is_named(tmp_path):
    name, preset = next(
        (name, preset)
        for name, preset in presets().items()
        if any(not lookup.get("optional") for lookup in preset.mapping.get("lookups", {}).values())
        and (FIXTURES / preset.vendor).exists()
        and not preset.is_on_request
        and not preset.yields_to
    )
    shutil.copytree(
        FIXTURES / preset.vendor, tmp_path / "exports", ignore=shutil.ignore_patterns("*.golden.csv", "*.yaml")
    )
    needed = [lookup["files"] for lookup in preset.mapping["lookups"].values() if not lookup.get("optional")]
    for pattern in needed:
        for path in list((tmp_path / "exports").glob(pattern)):
            path.unlink()
    put(tmp_path, "orders.csv", orders())
    init(tmp_path)
    assert name not in used_presets(configured(tmp_path))
    text = " ".join((tmp_path / "retention.yaml").read_text().replace("# ", "").split())
    assert f"NOT USED: needs {' and '.join(dict.fromkeys(needed))} beside it, which is not there" in text


def test_the_fixtures_hold_only_declared_vendors():
    vendors = {preset.vendor for preset in presets().values()}
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir()} <= vendors
    assert all(
        yaml.safe_load((FIXTURES / vendor / "expected.yaml").read_text())
        for vendor in vendors
        if (FIXTURES / vendor / "expected.yaml").exists()
    )
