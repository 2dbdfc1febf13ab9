"""The SQL of models without dbt, rendered as dbt does, so that a test can run a model on rows of its own in no time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import duckdb
from jinja2 import Environment, Template

from retention_pipeline.dbt_runner import DBT_PROJECT
from retention_pipeline.warehouse import UNSOUND_OPTIMIZER

_MODELS = {path.stem: path for path in (DBT_PROJECT / "models").rglob("*.sql")}
_MACRO = re.compile(r"{%-?\s*macro (\w+)\(.*?{%-?\s*endmacro\s*-?%}", re.DOTALL)


class _Returned(Exception):  # noqa: N818
    """How a macro gives back a value that is not its text."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Adapter:
    """Finds the macro that an engine without one of its own takes."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def dispatch(self, name: str) -> Any:
        return self._names[f"default__{name}"]


class _Target:
    """Where dbt builds; here the database of the connection that the models are built in."""

    database = ""


_TARGET = _Target()


def _return(value: Any) -> None:
    raise _Returned(value)


def _callable(template: Template, name: str) -> Callable[..., Any]:
    @cache
    def macro() -> Any:
        context = template.new_context()
        list(template.root_render_func(context))
        return context.vars[name]

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro()(*arguments, **named)
        except _Returned as returned:
            return returned.value

    return call


@cache
def _environment() -> tuple[Environment, dict[str, Any]]:
    environment = Environment(extensions=["jinja2.ext.do"])
    names: dict[str, Any] = {
        "return": _return,
        "ref": _reference,
        "source": lambda source, table: f"{source}.{table}",
        "config": lambda **_: "",
        "is_incremental": lambda: False,
        "target": _TARGET,
    }
    names["adapter"] = _Adapter(names)
    for path in sorted((DBT_PROJECT / "macros").rglob("*.sql")):
        for macro in _MACRO.finditer(path.read_text(encoding="utf-8")):
            names[macro[1]] = _callable(environment.from_string(macro[0], globals=names), macro[1])
    return environment, names


_READ: list[str] = []
"""The models that the text which is rendered now refers to, also from within macros."""


def _reference(model: str) -> str:
    _READ.append(model)
    return _schema_of(model)


def _schema_of(model: str) -> str:
    return f"{_MODELS[model].relative_to(DBT_PROJECT / 'models').parts[0]}.{model}"


def render(text: str) -> str:
    """The SQL of `text` as dbt would run it."""
    environment, names = _environment()
    return environment.from_string(text, globals=names).render()


def model_sql(model: str) -> str:
    """The SQL of a model."""
    return render(_MODELS[model].read_text(encoding="utf-8"))


def build_models(con: duckdb.DuckDBPyConnection, models: Iterable[str], given: Iterable[str] = ()) -> None:
    """Build `models` and everything that they read in `con`, but for `given`, which are there."""
    con.execute(f"SET TimeZone = 'UTC'; SET disabled_optimizers = '{UNSOUND_OPTIMIZER}'")
    _TARGET.database = con.execute("SELECT current_database()").fetchall()[0][0]
    for schema in ("staging", "intermediate", "marts"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    built = set(given)

    def build(model: str) -> None:
        if model in built:
            return
        built.add(model)
        _READ.clear()
        sql = model_sql(model)
        for needed in list(dict.fromkeys(_READ)):
            build(needed)
        con.execute(f"CREATE OR REPLACE TABLE {_schema_of(model)} AS {sql}")

    for model in models:
        build(model)
