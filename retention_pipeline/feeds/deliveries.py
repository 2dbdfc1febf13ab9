"""What lies in the export folder against what the ledger knows: which files are new, and what each of them replaces."""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from retention_pipeline.feeds.files import content_hash, matching_files
from retention_pipeline.feeds.ledger import LOADED, PROBLEMS, Entry, in_force, mapping_hash
from retention_pipeline.feeds.lookups import lookup_files
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import FeedName, FileMapping


@dataclass(frozen=True)
class Delivery:
    """A file under one of its mappings.

    Attributes:
        path: The file.
        where: Its path below the business folder.
        mapping: The section of `retention.yaml`.
        mapping_hash: Hash of what that section says about rows.
        content_hash: SHA-256 of the file, and of those that it looks values up in; empty where it cannot be read.
        size_bytes: Its size.
        changed_ns: Its modification time.
        lookups: The files that it looks values up in, each with size and modification time.
    """

    path: Path
    where: str
    mapping: FileMapping
    mapping_hash: str
    content_hash: str
    size_bytes: int
    changed_ns: int
    lookups: tuple[tuple[Path, int, int], ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two deliveries the same rows."""
        return (self.content_hash, self.mapping_hash)


def find_deliveries(business: Business, feed: FeedName) -> list[Delivery]:
    """The finished files of a feed, by name; a file that changes while it is read is left for the next run."""
    found = []
    hashes = _Hashes()
    for mapping in business.config.feeds[feed]:
        key = mapping_hash(mapping, business.config)
        for path in matching_files(business.folder, mapping.files):
            where = path.relative_to(business.folder).as_posix()
            try:
                stat, content = path.stat(), hashes.of(path)
                lookups = [(name, file) for name, one in mapping.lookups.items() for file in lookup_files(path, one)]
                states = tuple(_state(file) for _, file in lookups)
                parts = [content, *(hashes.of(file) for _, file in lookups)]
            except OSError:
                found.append(Delivery(path, where, mapping, key, "", 0, 0))
                continue
            if all(part is not None for part in parts):
                content = _joint_hash(str(content), [name for name, _ in lookups], parts[1:])
                found.append(Delivery(path, where, mapping, key, content, stat.st_size, stat.st_mtime_ns, states))
    return sorted(found, key=lambda delivery: delivery.where)


class _Hashes:
    """Content hashes, each file read once: many exports may look values up in the same one."""

    def __init__(self) -> None:
        self._known: dict[Path, str | None] = {}

    def of(self, path: Path) -> str | None:
        """As `content_hash`."""
        if path not in self._known:
            self._known[path] = content_hash(path)
        return self._known[path]


def _state(path: Path) -> tuple[Path, int, int]:
    stat = path.stat()
    return (path, stat.st_size, stat.st_mtime_ns)


def _joint_hash(content: str, names: Sequence[str], hashes: Sequence[str | None]) -> str:
    """The hash of a file with those of its lookups: a changed lookup makes other rows of it."""
    if not names:
        return content
    lines = [content, *(f"{name} {found}" for name, found in zip(names, hashes, strict=True))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def is_unchanged(delivery: Delivery) -> bool:
    """Whether the file still is what was hashed, and so are those that it looks values up in."""
    try:
        now = tuple(_state(path) for path in (delivery.path, *(path for path, *_ in delivery.lookups)))
    except OSError:
        return False
    return now == ((delivery.path, delivery.size_bytes, delivery.changed_ns), *delivery.lookups)


@dataclass(frozen=True)
class FeedState:
    """The deliveries that are there and the ledger of their feed."""

    deliveries: Sequence[Delivery]
    entries: Sequence[Entry]

    def twin(self, delivery: Delivery) -> Entry | None:
        """The batch in force that holds the rows of `delivery`; its own path before any other.

        A batch whose path now holds something else does not count: it is about to be replaced.
        """
        twins = [
            entry
            for entry in in_force(self.entries)
            if entry.identity == delivery.identity and not self._is_stale(entry)
        ]
        return min(twins, key=lambda entry: (entry.path != delivery.where, entry.batch_id), default=None)

    def replaced_by(self, delivery: Delivery) -> list[int]:
        """The batches and problems that end when `delivery` is taken: earlier content of its path."""
        return self.open_problems(delivery) + [
            entry.batch_id
            for entry in in_force(self.entries)
            if self._is_predecessor(entry, delivery) and entry.identity != delivery.identity
        ]

    def open_problems(self, delivery: Delivery) -> list[int]:
        """The problems of the delivery's path that nothing has ended yet."""
        return [
            entry.batch_id
            for entry in self.entries
            if entry.status in PROBLEMS and entry.superseded_by is None and self._is_predecessor(entry, delivery)
        ]

    def _is_predecessor(self, entry: Entry, delivery: Delivery) -> bool:
        """Whether the entry is of the same path under the same mapping, or under one that is configured no more."""
        mappings = {other.mapping_hash for other in self.deliveries if other.where == delivery.where}
        return entry.path == delivery.where and (
            entry.mapping_hash == delivery.mapping_hash or entry.mapping_hash not in mappings
        )

    def open_problem(self, delivery: Delivery) -> Entry | None:
        """The problem that the ledger holds for exactly this delivery."""
        for entry in self.entries:
            same = entry.path == delivery.where and entry.identity == delivery.identity
            if same and entry.status in PROBLEMS and entry.superseded_by is None:
                return entry
        return None

    def _is_stale(self, entry: Entry) -> bool:
        present = [delivery for delivery in self.deliveries if delivery.where == entry.path]
        return bool(present) and all(delivery.identity != entry.identity for delivery in present)


def new_columns(columns: Sequence[str], files: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Columns that no earlier file of the same pattern had; empty for the first file."""
    earlier = [entry for entry in entries if entry.files == files and entry.status == LOADED]
    seen = {name for entry in earlier for name in entry.columns}
    return tuple(name for name in columns if name not in seen) if earlier else ()


def delivered_on(delivery: Delivery) -> date | None:
    """The delivery day that the file's name tells; None where the mapping does not look for one.

    Raises:
        FileRefusedError: The name holds no day although the mapping says that it does.
    """
    if delivery.mapping.delivered is None:
        return None
    found = re.search(delivery.mapping.delivered.pattern, delivery.path.name)
    groups = found.groupdict() if found else {}
    try:
        digits = re.sub(r"\D", "", groups.get("day") or groups.get("month") or "")
        year, month = int(digits[:4]), int(digits[4:6])
        day = int(digits[6:8]) if groups.get("day") else calendar.monthrange(year, month)[1]
        return date(year, month, day)
    except ValueError:
        raise FileRefusedError(
            "its name does not tell the day of delivery",
            where=delivery.where,
            expected=f"a name in which `{delivery.mapping.delivered.pattern}` finds a day or a month",
            found=delivery.path.name,
            way_out="name the file as the others, or mend `delivered` in retention.yaml",
        ) from None
