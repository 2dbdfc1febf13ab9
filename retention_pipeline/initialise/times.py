"""How times are written: ISO 8601, seconds since 1970, or a strptime format that is made from their own shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

ISO = ""
"""Stands for ISO 8601, which needs no format."""

EPOCHS = ("epoch_seconds", "epoch_milliseconds")
_EARLIEST, _LATEST = 631_152_000, 4_102_444_800
_LOOKED_AT = 200

_CLOCK = re.compile(
    r"(?P<gap>, ?| |T)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2})?(?P<fraction>[.]\d+)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$"
)
_NUMBERED = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})(?!\d)")
_WORDED = re.compile(
    r"(\d{1,2})([- ])([A-Za-z]{3,9})[.]?\2(\d{2,4})(?!\d)|([A-Za-z]{3,9})[.]? (\d{1,2}),? (\d{4})(?!\d)"
)
_COMPACT = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
_NEVER = re.compile(
    r"(9999-12-31|2999-12-31|0000-00-00|0001-01-01|1900-01-01|31[/.]12[/.]9999|12/31/9999)([ T]00:00(:00)?)?"
)


def stands_for_never(text: str) -> bool:
    """Whether a time is written where there is none: the end of a contract without end."""
    return _NEVER.fullmatch(text) is not None


def possible_formats(values: Iterable[str]) -> list[str]:
    """Formats in which some of the values may be written, `ISO` first; whether they fit is for others to try."""
    formats: dict[str, None] = {ISO: None}
    texts = list(islice(values, _LOOKED_AT))
    for text in texts:
        formats.update(dict.fromkeys(_formats_of(text)))
    formats.update(dict.fromkeys(_epochs(texts)))
    return list(formats)


def _epochs(texts: Sequence[str]) -> list[str]:
    numbers = [float(text) for text in texts if re.fullmatch(r"\d{9,13}([.]\d+)?", text)]
    if len(numbers) < len(texts) or not numbers:
        return []
    return [
        name
        for name, factor in zip(EPOCHS, (1, 1000), strict=True)
        if all(_EARLIEST * factor <= number <= _LATEST * factor for number in numbers)
    ]


def _formats_of(text: str) -> list[str]:
    if text.isdigit():
        return [_COMPACT[len(text)]] if len(text) in _COMPACT else []
    found = _NUMBERED.match(text)
    if found:
        days = _numbered(found[1], found[2], found[4])
    else:
        found = _WORDED.match(text)
        days = _worded(found) if found else []
    if not found or not days:
        return []
    clock = _clock(text[found.end() :])
    return [] if clock is None else [day + clock for day in days]


def _numbered(first: str, mark: str, third: str) -> list[str]:
    if len(first) == 4:
        return [f"%Y{mark}%m{mark}%d"] if len(third) <= 2 else []
    if len(first) > 2 or len(third) not in (2, 4):
        return []
    year = "%Y" if len(third) == 4 else "%y"
    return [f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"]


def _worded(found: re.Match[str]) -> list[str]:
    day, mark, month, year, *_ = found.groups()
    text = found.group(0)
    dot = "." if "." in text else ""
    if day:
        return [f"%d{mark}{'%b' if len(month) == 3 else '%B'}{dot}{mark}{'%Y' if len(year) == 4 else '%y'}"]
    name = found.group(5)
    return [f"{'%b' if len(name) == 3 else '%B'}{dot} %d{',' if ',' in text else ''} %Y"]


def _clock(rest: str) -> str | None:
    """The format of what follows the day; None where it is no time of day."""
    if not rest:
        return ""
    found = _CLOCK.match(rest)
    if not found:
        return None
    half = found["half"] or ""
    text = f"{found['gap']}{'%I' if half else '%H'}:%M"
    text += (":%S" if found["second"] else "") + (".%g" if found["fraction"] else "")
    if half:
        text += " %p" if half.startswith(" ") else "%p"
    zone = found["zone"] or ""
    if zone:
        text += " " if zone.startswith(" ") else ""
        text += zone.strip() if zone.strip().isalpha() else "%z"
    return text


def swapped(text: str) -> str | None:
    """The same format with day and month the other way round; None where it does not begin with one of them."""
    found = re.match(r"(%d|%m)([-/. ])(%m|%d)\2", text)
    if not found:
        return None
    return f"{found[3]}{found[2]}{found[1]}{found[2]}{text[found.end() :]}"


def is_day_first(text: str) -> bool:
    """Whether a format names the day before the month, in numbers."""
    return re.match(r"%d[-/. ]%m", text) is not None
