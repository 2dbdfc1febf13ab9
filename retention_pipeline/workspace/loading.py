"""Reads the `retention.yaml` of a business and says everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from retention_pipeline.errors import RetentionError
from retention_pipeline.workspace.document import Problem, read_document
from retention_pipeline.workspace.meaning import meaning_problems
from retention_pipeline.workspace.schema import Retention
from retention_pipeline.workspace.wording import schema_problems

CONFIG_NAME = "retention.yaml"


@dataclass(frozen=True)
class Business:
    """A business: the folder that holds its `retention.yaml` and exports, and what that file says."""

    folder: Path
    config: Retention

    @property
    def name(self) -> str:
        """Its short name."""
        return self.config.business


class ConfigurationError(RetentionError):
    """Everything that is wrong with a `retention.yaml`.

    Attributes:
        problems: One by one, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda problem: (problem.line, problem.key, problem.text)))
        lines = [
            f"{CONFIG_NAME}:{problem.line}: {f'{problem.key}: ' if problem.key else ''}{problem.text}"
            for problem in self.problems
        ]
        super().__init__("\n".join(lines))


def load_business(folder: Path) -> Business:
    """Read and check the `retention.yaml` in `folder`.

    Raises:
        RetentionError: There is none.
        ConfigurationError: Something is wrong with it; the text lists every problem with line, key, value, what is
            allowed and the nearest name.
    """
    path = folder / CONFIG_NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise RetentionError(
            f"there is no {CONFIG_NAME}",
            where=str(folder),
            expected=f"a folder with {CONFIG_NAME} and the export files",
            way_out="let `retention init` look at the exports and write it, or give another folder",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RetentionError(
            f"{CONFIG_NAME} cannot be read ({type(error).__name__})", where=str(folder), expected="a text in UTF-8"
        ) from None
    document = read_document(text)
    problems = list(document.problems)
    if document.data is None:
        raise ConfigurationError(problems)
    config = None
    try:
        config = Retention.model_validate(document.data)
    except ValidationError as error:
        problems += schema_problems(error, document)
    problems += meaning_problems(document)
    if problems or config is None:
        raise ConfigurationError(problems)
    return Business(folder, config)
