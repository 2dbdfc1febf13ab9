"""docs/presets.md says what the presets say."""

from retention_pipeline.feeds.presets import presets
from retention_pipeline.feeds.presets_reference import PAGE, presets_page


def test_the_page_in_the_repository_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == presets_page(), (
        "run python -m retention_pipeline.feeds.presets_reference"
    )


def test_every_preset_stands_on_the_page_with_what_recognises_it():
    page = presets_page()
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert sorted(lines) == sorted(presets())
    for name, preset in presets().items():
        assert f"| `{preset.feed}` |" in lines[name]
        assert all(f"`{column.strip()}`".replace("|", "\\|") in lines[name] for column in preset.recognise)
