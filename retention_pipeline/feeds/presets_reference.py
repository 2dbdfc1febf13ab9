"""Writes the list of all presets from their declarations.

`python -m retention_pipeline.feeds.presets_reference` writes docs/presets.md; a test says when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from retention_pipeline.feeds.presets import Preset, presets
from retention_pipeline.settings import PROJECT

PAGE = PROJECT / "docs" / "presets.md"

_INTRODUCTION = """# Presets

Exports that are known by name: `preset: stripe.subscriptions` in a `retention.yaml` is the whole mapping. Written from
`retention_pipeline/feeds/vendors/*.yaml` by `python -m retention_pipeline.feeds.presets_reference`; change those files,
not this one. `retention init <folder>` finds out by itself which presets a folder of exports needs.

```yaml
feeds:
  subscriptions:
    - preset: stripe.subscriptions
      files: exports/stripe_subscriptions*.csv   # only where yours are called otherwise
```

Keys beside `preset` replace its own; `columns`, `constants` and `lookups` are merged name by name. An export is
recognised when all columns in the last column of its table are in the header, spelt exactly so.

- **verified**: its columns were seen in a real export. The others are taken from the vendor's documentation: look at
  the figures once.
- **on request**: `retention init` writes it as a comment. Whether it is wanted beside the rest only a person can say.
- A name that begins with `<vendor>_loader` is for the tables that a warehouse loader writes, one file a table; the
  other presets are for what the vendor itself exports.
"""


def presets_page() -> str:
    """The whole page."""
    found = list(presets().values())
    vendors = [list(group) for _, group in groupby(found, key=lambda preset: preset.vendor)]
    verified = sum(preset.verified for preset in found)
    summary = f"{len(found)} presets of {len(vendors)} kinds of export, {verified} of them verified."
    parts = [_INTRODUCTION, f"{summary}\n"]
    parts += ["\n".join(_vendor(group)) for group in sorted(vendors, key=lambda group: group[0].title.casefold())]
    return "\n".join(parts)


def _vendor(group: Sequence[Preset]) -> Iterator[str]:
    yield f"## {group[0].title}\n"
    yield "| preset | feed | export | verified | recognised by |"
    yield "|---|---|---|---|---|"
    for preset in group:
        columns = ", ".join(f"`{_cell(name)}`" for name in preset.recognise)
        yield (
            f"| `{preset.name}` | `{preset.feed}` | {_cell(preset.description)}{_remarks(preset)} | "
            f"{'yes' if preset.verified else 'no'} | {columns} |"
        )
    yield ""


def _remarks(preset: Preset) -> str:
    text = " **On request.**" if preset.is_on_request else ""
    if preset.yields_to:
        text += f" Left out beside {', '.join(f'`{name}`' for name in preset.yields_to)}."
    files = [
        str(lookup["files"]) for lookup in preset.mapping.get("lookups", {}).values() if not lookup.get("optional")
    ]
    if files:
        text += f" Needs {', '.join(f'`{_cell(name)}`' for name in dict.fromkeys(files))} beside it."
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def write_presets_reference(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(presets_page(), encoding="utf-8")


if __name__ == "__main__":
    write_presets_reference()
