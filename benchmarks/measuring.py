"""Runs one piece of work in a process of its own and says how long it took and how much memory it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from retention_pipeline.settings import PROJECT


@dataclass(frozen=True)
class Measured:
    """Wall time of the work alone, and the peak memory of its process.

    Attributes:
        seconds: Wall time, imports and start left out.
        processor_seconds: Time of all cores; unlike wall time it hardly changes where a machine has other work to do.
        mebibytes: Peak resident memory of the whole process, in MiB.
        steps: Wall and processor seconds of each step, where the work consists of some.
    """

    seconds: float
    processor_seconds: float
    mebibytes: float
    steps: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def measure(work: str, *arguments: str, environment: dict[str, str] | None = None) -> Measured:
    """Run `benchmarks.work` function `work` in a fresh process.

    Raises:
        RuntimeError: The work failed; its output is in the message.
    """
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.work", work, *arguments],
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(f"{work} failed:\n{finished.stdout}\n{finished.stderr}")
    found = json.loads(finished.stdout.strip().splitlines()[-1])
    return Measured(**found)
