"""The bytes of an export file, unpacked. Every byte is seen, so that no truncated archive passes for a whole one."""

from __future__ import annotations

import codecs
import itertools
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retention_pipeline.feeds.refusing import FileRefusedError

# Larger pieces are slower: each would be a mapping of fresh pages.
_CHUNK = 1 << 18
_MAGIC = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive (Excel workbooks are such)",
    b"\x1f\x8b": "gzip data",
    b"\x28\xb5\x2f\xfd": "Zstandard data",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
}
_LINE_FEED = 10
_PACKED = {".gz": "gzip data", ".zst": "Zstandard data"}


def found_format(path: Path) -> str:
    """What the first bytes of a file say that it is; an empty text where they say nothing."""
    with path.open("rb") as handle:
        head = handle.read(16)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def unpacked_chunks(path: Path, where: str) -> Iterator[bytes]:
    """The content of a plain, `.gz` or `.zst` file in pieces.

    Raises:
        FileRefusedError: The archive is damaged or ends too early.
    """
    found, declared = found_format(path), _PACKED.get(path.suffix.lower(), "")
    if found != declared:
        raise FileRefusedError(
            "is not what its name and `format` say",
            where=where,
            expected=declared or "text",
            found=found or ("text" if path.stat().st_size else "an empty file"),
            way_out="name the file by what it is (.csv, .csv.gz, .csv.zst) or set `format` in retention.yaml",
        )
    with path.open("rb") as handle:
        chunks = iter(lambda: handle.read(_CHUNK), b"")
        try:
            if declared == _PACKED[".gz"]:
                yield from _unpack_gzip(chunks)
            elif declared == _PACKED[".zst"]:
                yield from _unpack_zstd(chunks)
            else:
                yield from chunks
        except _DamagedError as damage:
            raise FileRefusedError(
                f"the archive {damage}",
                where=where,
                expected=f"whole {declared}",
                way_out="copy the file again; files that are still being written are best named *.part until done",
            ) from damage


class _DamagedError(Exception):
    pass


def _unpack_gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        rest = chunk
        while rest:
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=31)
            try:
                yield unpacker.decompress(rest)
            except zlib.error as error:
                raise _DamagedError("is damaged") from error
            rest = unpacker.unused_data
    if not unpacker.eof:
        raise _DamagedError("ends too early")


def _unpack_zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    unpacker = decompressor.decompressobj()
    for chunk in chunks:
        rest = chunk
        while rest:
            if unpacker.eof:
                unpacker = decompressor.decompressobj()
            try:
                yield unpacker.decompress(rest)
            except zstandard.ZstdError as error:
                raise _DamagedError("is damaged") from error
            rest = unpacker.unused_data
    if not unpacker.eof:
        raise _DamagedError("ends too early")


@dataclass
class LineCount:
    """Counts physical lines over pieces of bytes.

    Attributes:
        feeds, returns, pairs: Line feeds, carriage returns, and carriage returns directly before a line feed.
    """

    feeds: int = 0
    returns: int = 0
    pairs: int = 0
    _last: bytes = b""

    def add(self, chunk: bytes) -> None:
        """Count a piece."""
        if not chunk:
            return
        # Three times as fast as `chunk.count`, and the interpreter is free meanwhile.
        self.feeds += int(np.count_nonzero(np.frombuffer(chunk, dtype=np.uint8) == _LINE_FEED))
        if b"\r" in chunk:
            self.returns += chunk.count(b"\r")
            self.pairs += chunk.count(b"\r\n")
        if self._last == b"\r" and chunk.startswith(b"\n"):
            self.pairs += 1
        self._last = chunk[-1:]

    @property
    def newline(self) -> bytes:
        """What ends a line in this file."""
        return b"\n" if self.feeds or not self.returns else b"\r"

    @property
    def is_mixed(self) -> bool:
        """Whether some lines end in a carriage return and a line feed, and others do not."""
        return self.feeds > 0 and (self.pairs != self.feeds or self.returns != self.pairs) and self.returns > 0

    @property
    def lines(self) -> int:
        """Lines so far; a last one without an end counts."""
        ended = self.feeds if self.newline == b"\n" else self.returns
        return ended + (1 if self._last and self._last != self.newline else 0)


def count_lines(chunks: Iterator[bytes]) -> LineCount:
    """The lines of a whole text."""
    count = LineCount()
    for chunk in chunks:
        count.add(chunk)
    return count


def count_lines_beside(chunks: Iterator[bytes]) -> Callable[[], LineCount]:
    """As `count_lines`, in a thread of its own: the result waits for it, and raises what it met."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="lines")
    future = executor.submit(count_lines, chunks)
    executor.shutdown(wait=False)
    return future.result


def checked_utf8(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    """The same pieces, looked at: a file that is not UTF-8 throughout is refused, whichever columns are mapped.

    Raises:
        FileRefusedError: Bytes that are not UTF-8, with the line where they stand.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    seen = LineCount()
    try:
        for chunk in chunks:
            # Most pieces are plain ASCII, and need no decoding.
            if decoder.getstate()[0] or not chunk.isascii():
                decoder.decode(chunk)
            seen.add(chunk)
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _wrong_encoding("utf-8", seen, error, where) from None


def transcoded(chunks: Iterator[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """The same text in UTF-8 without a byte order mark.

    Raises:
        FileRefusedError: Bytes that the encoding does not have, with the line where they stand.
    """
    first = next((chunk for chunk in chunks if chunk), b"")
    decoder = codecs.getincrementaldecoder(_codec(encoding, first))("strict")
    seen = LineCount()
    try:
        for chunk in itertools.chain([first], chunks):
            text = decoder.decode(chunk).encode("utf-8")
            seen.add(text)
            yield text
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(encoding, seen, error, where) from None


def _wrong_encoding(encoding: str, seen: LineCount, error: UnicodeDecodeError, where: str) -> FileRefusedError:
    before = LineCount()
    before.add(error.object[: error.start].decode(error.encoding, errors="ignore").encode())
    line = 1 + max(seen.feeds + before.feeds, seen.returns + before.returns)
    return FileRefusedError(
        f"is not {encoding}: line {line} holds a byte that this encoding does not have",
        where=where,
        expected=encoding,
        way_out="set `encoding` of this mapping in retention.yaml to what the export was written in",
    )


def _codec(encoding: str, head: bytes) -> str:
    """The name of the decoder; UTF-16 without a byte order mark is told by where its first zero byte stands."""
    if encoding == "windows-1252":
        return "cp1252"
    if encoding == "utf-16" and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-be" if head.startswith(b"\x00") else "utf-16-le"
    return encoding
