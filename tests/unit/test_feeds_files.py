"""Which files belong to a business: patterns, links, and files that are still being written."""

import os

import pytest

from retention_pipeline.feeds.files import content_hash, matching_files
from tests.unit.small_exports import write


def names(folder, pattern):
    return [path.relative_to(folder).as_posix() for path in matching_files(folder, pattern)]


def test_files_are_matched_below_the_folder_in_the_order_of_their_names(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt", "deep/d.csv"):
        write(tmp_path, name, "x")
    assert names(tmp_path, "exports/*.csv") == ["exports/a.csv", "exports/b.csv"]
    assert names(tmp_path, "exports/**/*.csv") == ["exports/a.csv", "exports/b.csv", "exports/deep/d.csv"]
    assert names(tmp_path, "exports/a.csv") == ["exports/a.csv"]


def test_unfinished_files_and_folders_are_left_out(tmp_path):
    for name in ("a.csv", "a.csv.tmp", "a.csv.part"):
        write(tmp_path, name, "x")
    (tmp_path / "exports" / "folder.csv").mkdir()
    assert names(tmp_path, "exports/*") == ["exports/a.csv"]


@pytest.mark.parametrize("pattern", ["../*.csv", "exports/../../*.csv", "/etc/host*", "", "  "])
def test_a_pattern_never_leaves_the_folder(tmp_path, pattern):
    (tmp_path / "secret.csv").write_text("x")
    folder = tmp_path / "business"
    write(folder, "a.csv", "x")
    assert matching_files(folder, pattern) == []


def test_a_link_is_followed_within_the_folder_only(tmp_path):
    (tmp_path / "secret.csv").write_text("x")
    folder = tmp_path / "business"
    inside = write(folder, "a.csv", "x")
    (folder / "exports" / "inside.csv").symlink_to(inside)
    (folder / "exports" / "outside.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "exports" / "broken.csv").symlink_to(tmp_path / "nothing.csv")
    (folder / "linked").symlink_to(tmp_path)
    assert names(folder, "exports/*.csv") == ["exports/a.csv", "exports/inside.csv"]
    assert names(folder, "linked/*.csv") == []


def test_a_file_that_grows_while_it_is_read_has_no_hash(tmp_path):
    path = tmp_path / "pipe"
    path.write_bytes(b"x" * (1 << 21))

    class Growing(type(path)):
        calls = 0

        def stat(self, **options):
            Growing.calls += 1
            if Growing.calls == 2:
                with path.open("ab") as handle:
                    handle.write(b"y")
                os.utime(path, ns=(1, 1))
            return super().stat(**options)

    assert content_hash(Growing(path)) is None
    assert content_hash(path) is not None
