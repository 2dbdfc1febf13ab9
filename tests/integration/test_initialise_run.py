"""From a folder of exports to a finished run, without touching what `retention init` wrote."""

import shutil

import pytest

from tests.pipelines import retention
from tests.unit.test_initialise_presets import FIXTURES

VENDORS = ("stripe", "shopify", "zendesk", "brevo")


@pytest.mark.slow
@pytest.mark.xdist_group("initialise")
def test_a_folder_of_vendors_exports_runs_unedited(tmp_path):
    folder = tmp_path / "vendors"
    for vendor in VENDORS:
        shutil.copytree(
            FIXTURES / vendor, folder / vendor, ignore=shutil.ignore_patterns("*.golden.csv", "expected.yaml")
        )
    for command in (("init", str(folder)), ("check", "--business", str(folder)), ("run", "--business", str(folder))):
        done = retention(*command, state=tmp_path / "state")
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "state" / "vendors" / "serving.duckdb").exists()
    assert "no consent" in done.stdout
