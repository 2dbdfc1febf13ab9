"""A run that is killed at any step, and what the next run makes of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.settings import BUSINESS_VARIABLE, PROJECT, STATE_VARIABLE, StatePaths
from tests.businesses import small_shop
from tests.pipelines import folder_digest, run_here, table_digests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interruption")]

OLDER_DAY = date(2011, 9, 14)
DAY = date(2011, 10, 14)
LAYERS = ("raw", "staging", "intermediate", "marts", "decisions")

# A process that runs the day and kills itself when the named stage reports for the n-th time: at its start, at a line
# of progress inside it, or at its end.
KILLED_RUN = """
import os, signal, sys
from datetime import date
from pathlib import Path
from retention_pipeline.progress import progress_to
from tests.pipelines import run_here

wanted, moment = sys.argv[3], sys.argv[4]
class Killer:
    stage = ""
    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)
    def stage_started(self, name):
        self.stage = name
        if name == wanted and moment == "start":
            self.die()
    def detail(self, line):
        if self.stage == wanted and moment == "inside":
            self.die()
    def stage_finished(self, name, seconds, *, succeeded):
        if name == wanted and moment == "end":
            self.die()
with progress_to(Killer()):
    run_here(Path(sys.argv[1]), Path(sys.argv[2]), date(2011, 10, 14))
"""

# In the order of the run, so that each kill finds the work of the one before done.
MOMENTS = [
    ("Load feeds", "inside"),
    ("Build models", "inside"),
    ("Check marts", "start"),
    ("Score customers", "end"),
    ("Decide campaigns", "end"),
    ("Write lists", "end"),
    ("Publish", "inside"),
    ("Write the report", "start"),
]


@pytest.fixture(scope="module")
def early_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop as it was on the older day: later runs find new files, and one that has changed."""
    return small_shop(tmp_path_factory.mktemp("early") / "small_shop", until=OLDER_DAY)


@pytest.fixture(scope="module")
def calm(early_shop: Path, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """The state after the same two days without a disturbance."""
    state = tmp_path_factory.mktemp("calm")
    assert run_here(early_shop, state, OLDER_DAY).succeeded
    assert run_here(shop, state, DAY).succeeded
    return StatePaths(state / "small_shop")


@pytest.fixture(scope="module")
def battered(early_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """A state in which an older day was published and every later run is killed."""
    state = tmp_path_factory.mktemp("battered")
    assert run_here(early_shop, state, OLDER_DAY).succeeded
    return StatePaths(state / "small_shop")


@pytest.mark.parametrize(("stage", "moment"), MOMENTS)
def test_killed_run_leaves_serving_whole(shop: Path, battered: StatePaths, stage: str, moment: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, str(shop), str(battered.root.parent), stage, moment],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert _readable_tables(battered.serving) > 5


def test_the_next_run_ends_in_the_calm_state(shop: Path, battered: StatePaths, calm: StatePaths) -> None:
    """Runs after all the kills above: the tests of this file share one worker and keep their order."""
    assert run_here(shop, battered.root.parent, DAY).succeeded
    assert table_digests(battered.warehouse, LAYERS) == table_digests(calm.warehouse, LAYERS)
    assert table_digests(battered.serving, ("main",)) == table_digests(calm.serving, ("main",))
    assert folder_digest(battered.parquet) == folder_digest(calm.parquet)
    assert folder_digest(battered.lists / DAY.isoformat()) == folder_digest(calm.lists / DAY.isoformat())


def test_a_second_run_at_once_is_refused(shop: Path, tmp_path: Path) -> None:
    env = {**os.environ, BUSINESS_VARIABLE: str(shop), STATE_VARIABLE: str(tmp_path)}
    command = [sys.executable, "-m", "retention_pipeline.cli", "run", "--as-of", DAY.isoformat()]
    with subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        lock = tmp_path / "small_shop" / "run.lock"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (lock.exists() and lock.stat().st_size):
            time.sleep(0.1)
        warehouse = StatePaths(tmp_path / "small_shop").warehouse
        while time.monotonic() < deadline and not warehouse.exists():
            time.sleep(0.1)
        second = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False, timeout=120)
        first.communicate(timeout=300)
    assert second.returncode == 2
    assert "another run is at work" in second.stdout
    assert f"process {first.pid}" in second.stdout
    assert first.returncode == 0


def test_a_full_disk_leaves_what_was_published(shop: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: writing fails in the middle of the warehouse."""
    state = tmp_path / "state"
    assert run_here(shop, state, OLDER_DAY).succeeded
    paths = StatePaths(state / "small_shop")
    published, lists = table_digests(paths.serving, ("main",)), folder_digest(paths.lists)
    limit = f"ulimit -f {paths.warehouse.stat().st_size // 1024 // 8}; exec "
    finished = subprocess.run(
        ["bash", "-c", f"{limit} {sys.executable} -m retention_pipeline.cli run --as-of {DAY.isoformat()}"],
        cwd=PROJECT,
        env={**os.environ, BUSINESS_VARIABLE: str(shop), STATE_VARIABLE: str(state)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode != 0
    assert table_digests(paths.serving, ("main",)) == published
    assert lists.items() <= folder_digest(paths.lists).items()
    assert run_here(shop, state, DAY).succeeded
    assert _readable_tables(paths.serving) > 5
    shutil.rmtree(state)


def _readable_tables(serving: Path) -> int:
    with duckdb.connect(str(serving), read_only=True) as con:
        tables = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        for name in tables:
            con.execute(f'SELECT count(*) FROM "{name}"').fetchall()
    return len(tables)
