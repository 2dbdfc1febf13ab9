"""Which export files are there: patterns inside the business folder, and nothing outside it."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

UNFINISHED = (".tmp", ".part")
"""Endings of files that somebody is still writing."""

_CHUNK = 1 << 18


def matching_files(folder: Path, pattern: str) -> list[Path]:
    """The finished files under `folder` that match the glob `pattern`, sorted by name.

    Files whose name ends in `.tmp` or `.part` are left out, and so is whatever lies outside the folder, whether the
    pattern climbs out (`..`, an absolute path) or a link leads there.
    """
    pure = PurePosixPath(pattern)
    if pure.is_absolute() or ".." in pure.parts or not pattern.strip():
        return []
    root = folder.resolve()
    found = []
    for path in folder.glob(pattern):
        if path.name.endswith(UNFINISHED) or not path.is_file():
            continue
        if path.resolve().is_relative_to(root):
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def content_hash(path: Path) -> str | None:
    """SHA-256 of the file; None when it changed while it was read, so somebody is still writing it."""
    before = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return None
    return digest.hexdigest()
