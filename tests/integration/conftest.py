"""Runs that several tests look at: made once, also when tests run in several processes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from retention_pipeline.settings import StatePaths
from tests.businesses import small_learners, small_shop
from tests.pipelines import ONLINE_RETAIL, OULAD, once_for_all_workers, retention


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test processes of this session see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def _run_once(folder: Path, business: Path, name: str) -> StatePaths:
    state = folder / "state"
    with once_for_all_workers(folder, name) as is_first:
        if is_first:
            finished = retention("run", "--business", str(business), state=state)
            (folder / f"{name}.page.txt").write_text(finished.stdout + finished.stderr, encoding="utf-8")
            assert finished.returncode == 0, finished.stdout + finished.stderr
    return StatePaths(state / name)


@pytest.fixture(scope="session")
def online_retail(shared_folder: Path) -> StatePaths:
    """The state after a run of the shop that ships; not to be changed."""
    return _run_once(shared_folder, ONLINE_RETAIL, "online_retail")


@pytest.fixture(scope="session")
def online_retail_page(online_retail: StatePaths, shared_folder: Path) -> str:
    """What that run printed."""
    return (shared_folder / "online_retail.page.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def oulad(shared_folder: Path) -> StatePaths:
    """The state after a run of the courses that ship; not to be changed."""
    return _run_once(shared_folder, OULAD, "oulad")


@pytest.fixture(scope="session")
def oulad_page(oulad: StatePaths, shared_folder: Path) -> str:
    """What that run printed."""
    return (shared_folder / "oulad.page.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def online_retail_warehouse(online_retail: StatePaths) -> Path:
    """The warehouse of that run, to be opened read-only."""
    return online_retail.warehouse


@pytest.fixture(scope="session")
def oulad_warehouse(oulad: StatePaths) -> Path:
    """The warehouse of that run, to be opened read-only."""
    return oulad.warehouse


@pytest.fixture
def copy_of_online_retail(online_retail: StatePaths, tmp_path: Path) -> Path:
    """A state folder that a test may change, as it is after a run of the shop."""
    shutil.copytree(online_retail.root, tmp_path / "state" / "online_retail", symlinks=True)
    return tmp_path / "state"


@pytest.fixture(scope="session")
def shop(shared_folder: Path) -> Path:
    """A small shop with all its exports; copy it before changing a file."""
    with once_for_all_workers(shared_folder, "small_shop_exports") as is_first:
        if is_first:
            small_shop(shared_folder / "small_shop")
    return shared_folder / "small_shop"


@pytest.fixture(scope="session")
def learners(shared_folder: Path) -> Path:
    """A small school with all its exports; copy it before changing a file."""
    with once_for_all_workers(shared_folder, "small_learners_exports") as is_first:
        if is_first:
            small_learners(shared_folder / "small_learners")
    return shared_folder / "small_learners"
