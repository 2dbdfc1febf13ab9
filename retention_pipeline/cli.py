"""`retention`: the command line of the pipeline."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import BUSINESS_VARIABLE, business_folder, state_paths

app = typer.Typer(
    help="From raw exports to churn scores and campaign lists, every day.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

BusinessOption = Annotated[
    Path | None, typer.Option("--business", "-b", help="Folder of the business; it holds retention.yaml.")
]


@app.callback()
def main() -> None:
    """From raw exports to churn scores and campaign lists, every day."""


@app.command()
def check(business: BusinessOption = None) -> None:
    """Say what is wrong with retention.yaml: line, key, value, what is allowed."""
    from retention_pipeline.workspace.check import render_check

    good, text = render_check(_choose(business))
    typer.echo(text)
    if not good:
        raise typer.Exit(2)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the export files, in folders of any depth.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a retention.yaml that is there.")] = False,
) -> None:
    """Look at a folder of exports and write a first, commented retention.yaml there."""
    from retention_pipeline.initialise.running import initialise, show

    console = Console(highlight=False)
    try:
        with console.status("Looking at the files") as status:
            found = initialise(folder, force=force, on_progress=lambda line: status.update(Text(line)))
    except RetentionError as error:
        console.print(error.text(), style="red", markup=False)
        raise typer.Exit(2) from error
    show(found, folder, console)
    if not found.is_ready:
        raise typer.Exit(1)


@app.command()
def run(
    business: BusinessOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day to compute; else the configured or last complete day of the data."
        ),
    ] = None,
) -> None:
    """Compute a day: load, model, train, score, decide, publish; ends with a page on what came out."""
    folder = _choose(business)
    console = Console(highlight=False)
    try:
        good = _run(folder, as_of.date() if as_of else None, console)
    except RetentionError as error:
        console.print(error.text(), style="red", markup=False)
        raise typer.Exit(2) from error
    if not good:
        raise typer.Exit(1)


def _run(folder: Path, as_of: date | None, console: Console) -> bool:
    from retention_pipeline.terminal import TerminalProgress
    from retention_pipeline.workspace.loading import load_business

    business = load_business(folder)
    paths = state_paths(business.name)
    with TerminalProgress(console, business.config.title) as progress:
        with progress.startup():
            from retention_pipeline.definitions import build_defs
            from retention_pipeline.orchestration.running import run_daily

            defs = build_defs()
        outcome = run_daily(defs, business, paths, as_of)
    from retention_pipeline.report.page import render_terminal
    from retention_pipeline.report.run_summary import summarise

    render_terminal(summarise(business, paths, outcome, progress.seconds), console)
    return outcome.succeeded


@app.command()
def ui(
    business: BusinessOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster for a business on 127.0.0.1: lineage, runs, checks, schedules."""
    from retention_pipeline.orchestration.serving_ui import serve_ui
    from retention_pipeline.workspace.loading import load_business

    folder = _choose(business)
    try:
        loaded = load_business(folder)
    except RetentionError as error:
        typer.echo(error.text(), err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(serve_ui(state_paths(loaded.name), port))


@app.command()
def docs(business: BusinessOption = None) -> None:
    """Write the documentation of the models: dbt's own as one page, and docs/metrics.md."""
    from retention_pipeline.documentation import write_documentation
    from retention_pipeline.metrics.reference import write_metrics_reference
    from retention_pipeline.workspace.loading import load_business

    try:
        page = write_documentation(state_paths(load_business(_choose(business)).name))
    except RetentionError as error:
        typer.echo(error.text(), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"Documentation of the models: {page}\nReference of the metrics: {write_metrics_reference()}")


@app.command()
def simulate(
    out: Annotated[Path | None, typer.Option(help="Folder of a new simulated business.")] = None,
    kind: Annotated[str | None, typer.Option(help="saas or shop.")] = None,
    customers: Annotated[int | None, typer.Option(help="Customers who come within the span.")] = None,
    days: Annotated[int | None, typer.Option(help="Days of the span, or to go on.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of knobs; docs/simulator.md describes them.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder of the truth; <out>_truth by default.")] = None,
    going_on: Annotated[Path | None, typer.Option("--continue", help="Go on with this simulated business.")] = None,
    lists: Annotated[Path | None, typer.Option(help="With --continue: folder of the campaign lists of a day.")] = None,
) -> None:
    """Simulate a business: exports of every feed, and the truth apart."""
    from retention_pipeline.simulator.command import chosen_folder, simulate_new, simulate_on

    try:
        folder = chosen_folder(out, going_on)
        if going_on is not None:
            simulate_on(folder, truth, lists, days or 1, typer.echo)
        else:
            simulate_new(folder, truth, config, typer.echo, kind=kind, customers=customers, days=days, seed=seed)
    except RetentionError as error:
        typer.echo(error.text(), err=True)
        raise typer.Exit(2) from error


def _choose(business: Path | None) -> Path:
    """The folder of the business; everything that reads the environment sees the same choice."""
    if business is not None:
        os.environ[BUSINESS_VARIABLE] = str(business.resolve())
    return business_folder()


if __name__ == "__main__":
    app()
