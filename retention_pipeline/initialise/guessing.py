"""Guesses on which feed a family of files delivers, and which of its columns are which: by names, and by the values."""

from __future__ import annotations

from retention_pipeline.feeds.contracts import CONTRACTS, Column, Contract, Type
from retention_pipeline.initialise.fallbacks import complete
from retention_pipeline.initialise.styles import NumberStyle, TimeStyle, number_style, time_style
from retention_pipeline.initialise.synonyms import feed_words, file_language, matches, normalised
from retention_pipeline.initialise.tables import Guess, Table, text_sql
from retention_pipeline.initialise.values import (
    NUMBERS,
    SYMBOLS,
    TIMES,
    Profile,
    Reader,
    has_float_ids,
    has_fractions,
    has_symbols,
    is_currency,
    looks_like_address,
    looks_like_text,
    rules_of,
    value_map,
    without_symbols,
)
from retention_pipeline.quoting import literal

_DAY_FIRST_LANGUAGES = ("fr", "de")
_FILLED = 0.8
_ANY_ID = ("id", "code", "number", "identifiant", "numero", "nummer", "nr")
_FEW = 0.5


def best_guess(table: Table) -> Guess:
    """The feed that fits best; it may still lack required columns."""
    guesses = []
    for feed in feed_words():
        guess = _guess(CONTRACTS[feed], table)
        complete(guess, table)
        guess.lacking = _lacking(CONTRACTS[feed], guess)
        guess.score = _score(CONTRACTS[feed], guess, table)
        guesses.append(guess)
    return max(guesses, key=lambda guess: (not guess.lacking and guess.score > 0, guess.score))


def _lacking(contract: Contract, guess: Guess) -> tuple[str, ...]:
    lacking = [name for name in contract.required if not guess.is_mapped(name)]
    if contract.one_of and not any(guess.is_mapped(name) for name in contract.one_of):
        lacking.append(" or ".join(contract.one_of))
    return tuple(lacking)


def _guess(contract: Contract, table: Table) -> Guess:
    guess = Guess(contract.name)
    chosen = _assigned(contract, table)
    language = file_language(contract.name, table.family.exports[0].where)
    if language:
        guess.languages[language] += 1
    guess.languages.update(spoken for name, (source, spoken) in chosen.items() if name != source)
    western = table.family.look.delimiter == ";" or any(guess.languages[code] for code in _DAY_FIRST_LANGUAGES)
    pairs = [(canonical(contract, name), table.profiles[source]) for name, (source, _) in chosen.items()]
    pairs = [(column, _number_cells(column, cells)) for column, cells in pairs]
    dated = [pair for pair in pairs if pair[0].type in TIMES and not table.is_dated(pair[1].name)]
    times = time_style(dated, table.reader, prefers_day_first=True)
    numbers = [pair for pair in pairs if pair[0].type in NUMBERS]
    marks = number_style(numbers, table.reader, prefers_comma=western)
    for name, (source, _) in chosen.items():
        if source in times.refused or source in marks.refused:
            continue
        guess.sources[name] = source
        _map(guess, name, contract, table.profiles[source], table)
    _write_styles(guess, times, marks)
    return guess


def _number_cells(column: Column, cells: Profile) -> Profile:
    """The cells as they are read: amounts without the sign of their currency."""
    return without_symbols(cells) if column.type is Type.MONEY and has_symbols(cells) else cells


def canonical(contract: Contract, name: str) -> Column:
    """A column of the contract; for what only guesses know, the total of a line, the column of its price."""
    return contract.column("unit_price" if name == "line_total" else name)


def _assigned(contract: Contract, table: Table) -> dict[str, tuple[str, str]]:
    """Canonical column → source column and the language of its name; each source once, required ones first."""
    names = [column.name for column in sorted(contract.columns, key=lambda column: not column.required)]
    if contract.name == "order_lines":
        names.append("line_total")
    options: list[tuple[float, int, str, str, str]] = []
    for place, name in enumerate(names):
        for source, cells in table.profiles.items():
            match = matches(contract.name, name, source)
            if match is not None and _is_plausible(canonical(contract, name), cells, table):
                options.append((match.likeness, -place, name, source, match.language))
    chosen: dict[str, tuple[str, str]] = {}
    for _, _, name, source, language in sorted(options, reverse=True):
        if name not in chosen and source not in {taken for taken, _ in chosen.values()}:
            chosen[name] = (source, language)
    return {name: chosen[name] for name in names if name in chosen}


def _is_plausible(column: Column, cells: Profile, table: Table) -> bool:
    """Whether cells can be what the column holds."""
    if not cells.filled:
        return False
    if column.required and cells.fill_share < _FILLED:
        return False
    if column.type in TIMES:
        style = time_style([(column, cells)], table.reader, prefers_day_first=True)
        return cells.name not in style.refused
    if column.type in NUMBERS:
        cells = _number_cells(column, cells)
        marks = number_style([(column, cells)], table.reader, prefers_comma=False)
        if cells.name in marks.refused:
            return False
        return _within(column, cells, marks, table.reader)
    if column.type is Type.BOOLEAN:
        return set(map(str.lower, cells.values)) <= _TRUTH
    if column.type is Type.JSON:
        return all(text.lstrip().startswith("{") for text in cells.values)
    return _is_plausible_text(column, cells)


_TRUTH = {"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "oui", "non", "ja", "nein"}
_ID_ENDINGS = ("_id", "id")


def _within(column: Column, cells: Profile, style: NumberStyle, reader: Reader) -> bool:
    """Whether the numbers keep within the bounds of the contract."""
    low, high = reader.bounds(cells, column, rules_of(style.decimal, style.thousands))
    if column.maximum is not None and high > column.maximum:
        return False
    return column.minimum is None or low >= column.minimum


def _is_plausible_text(column: Column, cells: Profile) -> bool:
    if column.currency:
        return is_currency(cells)
    if column.values:
        return value_map(cells, column) is not None
    if column.name == "email":
        return looks_like_address(cells)
    if column.name == "phone":
        return not looks_like_text(cells)
    if column.name == "language":
        return all(_is_language(text) for text in cells.values)
    if column.name == "preferred_channel":
        return False
    if column.key or column.name.endswith(_ID_ENDINGS):
        return not has_fractions(cells)
    if column.name in ("plan", "gender", "category", "name"):
        return len(cells.values) <= max(20, _FEW * cells.filled)
    return True


def _is_language(text: str) -> bool:
    short = text.replace("_", "-").split("-")[0]
    return len(short) == 2 and short.isalpha() and len(text) <= 5


def _map(guess: Guess, name: str, contract: Contract, cells: Profile, table: Table) -> None:
    """Write the mapping of one column, as an expression where its cells must be rewritten."""
    source = cells.name
    guess.notes[name] = "guess: by name and values"
    if name == "line_total":
        return
    column = contract.column(name)
    quoted = text_sql(source, table)
    if column.values:
        known = value_map(cells, column) or {}
        if any(text != value for text, value in known.items()):
            cases = " ".join(f"WHEN {literal(text)} THEN {literal(value)}" for text, value in sorted(known.items()))
            guess.columns[name] = {"sql": f"CASE {quoted} {cases} END"}
            guess.notes[name] = f"guess: {source!r}, its words put into those of the feed"
            return
    elif column.currency and any(text != text.strip().upper() for text in cells.values):
        guess.columns[name] = {"sql": f"upper(trim({quoted}))"}
        return
    elif column.type is Type.MONEY and has_symbols(cells):
        guess.columns[name] = {"sql": f"trim(regexp_replace({quoted}, {literal(SYMBOLS)}, '', 'g'))"}
        guess.notes[name] = "guess: by name and values; the sign of the currency is taken off"
        return
    elif column.type is Type.TEXT and has_float_ids(cells) and source not in table.types:
        guess.columns[name] = {"sql": f"regexp_replace({quoted}, '[.]0$', '')"}
        guess.notes[name] = "guess: written as 17850.0 for the id 17850"
        return
    elif column.name == "language" and any(len(text) > 2 or text != text.lower() for text in cells.values):
        guess.columns[name] = {"sql": f"lower(left({quoted}, 2))"}
        return
    elif column.type is Type.BOOLEAN and {"oui", "non", "ja", "nein"} & set(map(str.lower, cells.values)):
        guess.columns[name] = {"sql": f"lower({quoted}) IN ('oui', 'ja')"}
        return
    guess.columns[name] = source


def _write_styles(guess: Guess, times: TimeStyle, marks: NumberStyle) -> None:
    if times.formats:
        guess.options["time_format"] = times.formats[0] if len(times.formats) == 1 else list(times.formats)
        if times.is_ambiguous:
            guess.notes["time_format"] = "day and month could be swapped: no day in the sample says which; check it"
    if any(" UTC" in text or " GMT" in text for text in times.formats):
        guess.options["timezone"] = "UTC"
    if marks.decimal != ".":
        guess.options["decimal_mark"] = marks.decimal
    if marks.thousands:
        guess.options["thousands_mark"] = marks.thousands


def _score(contract: Contract, guess: Guess, table: Table) -> float:
    """Columns found, required ones more, and what the file is called."""
    found = [column for column in contract.columns if column.name in guess.sources]
    needed = [column for column in found if column.required or column.name in contract.one_of]
    score = 2.0 * len(needed) + len(found)
    score -= 3.0 * len(guess.lacking)
    named = file_language(contract.name, table.family.exports[0].where) is not None
    if named:
        score += 4.0
    if contract.name == "customers":
        score += _customer_score(guess, table, len(found), named=named)
    if contract.name in ("erasure_requests", "suppressions", "consents", "identities") and not named:
        score -= 6.0
    if contract.name == "reviews" and not named and not {"rating", "text"} & set(guess.sources):
        score -= 10.0
    if not needed:
        score -= 10.0
    return score


def _customer_score(guess: Guess, table: Table, found: int, *, named: bool) -> float:
    """A table of customers has each of them once, and says more than their ids."""
    source = guess.sources.get("customer_id")
    if source is None or (normalised(source) in _ANY_ID and not named):
        # Products and employees have an id too.
        return -10.0
    if table.profiles[source].is_unique:
        return 1.5 if found >= 3 or named else -10.0
    return -10.0
