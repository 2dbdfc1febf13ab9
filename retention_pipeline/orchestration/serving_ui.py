"""Starts Dagster's web server and daemon for one business, and stops both together."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from retention_pipeline.orchestration.running import prepare_dagster_home
from retention_pipeline.settings import PROJECT, StatePaths

HOST = "127.0.0.1"
_POLL_SECONDS = 0.5
_STOP_SECONDS = 15


def serve_ui(paths: StatePaths, port: int) -> int:
    """Run the web server on 127.0.0.1 and the daemon for schedules and sensors until interrupted.

    Returns:
        The exit code: 0 after an interruption by a person, else that of the process that ended first.
    """
    prepare_dagster_home(paths)
    scripts = Path(sys.executable).parent
    workspace = str(PROJECT / "workspace.yaml")
    commands = (
        [str(scripts / "dagster-webserver"), "-h", HOST, "-p", str(port), "-w", workspace],
        [str(scripts / "dagster-daemon"), "run", "-w", workspace],
    )
    sys.stdout.write(f"Dagster opens on http://{HOST}:{port} in a few seconds; stop it with Ctrl-C.\n")
    sys.stdout.flush()
    children = [subprocess.Popen(command, cwd=PROJECT) for command in commands]  # noqa: S603
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        while all(child.poll() is None for child in children):
            time.sleep(_POLL_SECONDS)
        return next(child.returncode for child in children if child.returncode is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(children)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    for child in children:
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
