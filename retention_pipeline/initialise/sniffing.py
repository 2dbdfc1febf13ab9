"""What a file is, told by its bytes: format, encoding, delimiter, header. A run never guesses any of these."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retention_pipeline.feeds.bytestreams import found_format, unpacked_chunks

DELIMITERS = (",", ";", "\t", "|")
_HEAD = 1 << 18
_LOOKED_AT = 60
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKED = (".gz", ".zst")
_TEXTS = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".dat", "")
_DATA_LIKE = re.compile(r"[+-]?[\d.,]+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


class UnreadableError(Exception):
    """Why a file is no export that can be read; the text is shown as it is."""


@dataclass(frozen=True)
class Look:
    """How a file is read.

    Attributes:
        format: As in a mapping.
        encoding: As in a mapping; `ascii` where any encoding would do.
        delimiter: As in a mapping; a comma where it has no meaning.
        header: Names of its columns; of JSON lines all that occur in its first lines, nested ones by path.
    """

    format: str
    encoding: str = "ascii"
    delimiter: str = ","
    header: tuple[str, ...] = ()


def bare_suffix(path: Path) -> str:
    """The ending of a name without that of its compression, in small letters."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def binary_format(path: Path) -> str:
    """`parquet` or `xlsx` where the first bytes say so; an empty text for what may be a text.

    Raises:
        UnreadableError: It is something else.
    """
    with path.open("rb") as handle:
        head = handle.read(16)
    if not head:
        raise UnreadableError("is empty")
    found = found_format(path)
    if head.startswith(_OLD_EXCEL):
        raise UnreadableError("is an old Excel workbook: save it as .xlsx or .csv")
    if "Parquet" in found:
        return "parquet"
    if found.startswith("a zip"):
        return _zip_format(path)
    packed = {"gzip data": ".gz", "Zstandard data": ".zst"}.get(found)
    if packed and path.suffix.lower() != packed:
        raise UnreadableError(f"is {found}: name it so, with {packed} at the end")
    if found and not packed:
        raise UnreadableError(f"is {found}")
    if bare_suffix(path) not in _TEXTS:
        raise UnreadableError("is no kind of file that is read (CSV, TSV, JSON lines, Parquet, xlsx)")
    return ""


def _zip_format(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        raise UnreadableError("is a zip archive that is damaged or ends too early") from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    raise UnreadableError("is a zip archive: unpack it first")


def look_at_text(path: Path, where: str) -> Look:
    """Read a text once, whole, and say how it is to be read.

    Raises:
        UnreadableError: It is no table, or no text.
        FileRefusedError: Its archive is damaged.
    """
    head, encoding = _head_and_encoding(path, where)
    text = head.decode(codec(encoding, head), errors="ignore")
    if not text.strip():
        raise UnreadableError("is empty")
    first = next(line for line in text.splitlines() if line.strip()).lstrip()
    if first.startswith(("{", "[")):
        return Look("jsonl", encoding, header=_json_header(text, whole=len(head) < _HEAD))
    delimiter, header = _delimiter_and_header(text, whole=len(head) < _HEAD)
    return Look("tsv" if delimiter == "\t" else "csv", encoding, "," if delimiter == "\t" else delimiter, header)


def _head_and_encoding(path: Path, where: str) -> tuple[bytes, str]:
    """The first bytes, and the encoding that all bytes allow."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    head, is_ascii, is_utf8, has_zero, undefined = b"", True, True, False, False
    for chunk in unpacked_chunks(path, where):
        if len(head) < _HEAD:
            head = (head + chunk)[:_HEAD]
        has_zero = has_zero or b"\x00" in chunk
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        is_ascii = False
        undefined = undefined or any(byte in chunk for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _is_bare_utf16(head):
        return head, "utf-16"
    if has_zero:
        raise UnreadableError("is no text")
    if is_ascii:
        return head, "ascii"
    if is_utf8 and not decoder.getstate()[0]:
        return head, "utf-8"
    return head, "latin-1" if undefined else "windows-1252"


def _is_bare_utf16(head: bytes) -> bool:
    """Whether every second byte of the beginning is zero: UTF-16 of western text without its mark."""
    start = head[:200]
    if len(start) < 4:
        return False
    even, odd = start[::2], start[1::2]
    return (not any(odd) and all(even)) or (not any(even) and all(odd))


def codec(encoding: str, head: bytes) -> str:
    """Python's decoder for a text of this encoding that begins with `head`; a byte order mark is dropped."""
    if encoding == "windows-1252":
        return "cp1252"
    if encoding == "utf-16":
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        return "utf-16-be" if head.startswith(b"\x00") else "utf-16-le"
    return "utf-8-sig"


def _json_header(text: str, *, whole: bool) -> tuple[str, ...]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not whole:
        lines = lines[:-1]
    names: dict[str, None] = {}
    good = 0
    for line in lines[:500]:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            good += 1
            names.update(dict.fromkeys(name for name, _ in flattened(row)))
    if not good or good < len(lines[:500]) / 2:
        raise UnreadableError("is a JSON document: JSON lines are read, one object on each line")
    return tuple(names)


def flattened(row: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a JSON object with its dotted path, objects within it too."""
    for name, value in row.items():
        path = f"{prefix}{name}"
        yield path, value
        if isinstance(value, dict):
            yield from flattened(value, f"{path}.")


def _delimiter_and_header(text: str, *, whole: bool) -> tuple[str, tuple[str, ...]]:
    best: tuple[float, int, str, list[str]] | None = None
    for delimiter in DELIMITERS:
        records = _records(text, delimiter, whole=whole)
        if not records or len(records[0]) < 2:
            continue
        width = len(records[0])
        agree = sum(len(record) == width for record in records) / len(records)
        if best is None or (agree, width) > best[:2]:
            best = (agree, width, delimiter, records[0])
    if best is None:
        raise UnreadableError("has only one column: no delimiter was found in its first line")
    agree, _, delimiter, header = best
    if agree < 0.5:
        raise UnreadableError("is no table: its lines have different numbers of cells")
    named = [name for name in header if name.strip()]
    if len(named) < len(header) / 2 or all(_DATA_LIKE.fullmatch(name.strip()) for name in named):
        raise UnreadableError("its first line is no header with the names of the columns")
    return delimiter, tuple(header)


def _records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """The first records, those that are blank left out; the last is left out where the text is cut."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > _LOOKED_AT:
                return records
    except csv.Error:
        pass
    return records if whole else records[:-1]
