"""What a process costs: wall and processor seconds, peak memory."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PRACTICUM = str(Path(sys.executable).with_name("practicum"))


@dataclass(frozen=True)
class Cost:
    """Wall and processor seconds of a process, and its peak memory in MiB."""

    seconds: float
    processor: float
    memory: float

    def __str__(self) -> str:
        return f"{self.seconds:7.2f} s wall {self.processor:6.2f} s cpu {self.memory:6.0f} MiB"


def cost(folder: Path, *command: str) -> Cost:
    """Run a program in a folder and return what it cost. Ends the benchmark when the program fails.

    Linux counts the memory of who starts a process as that of the process, so this module imports nothing large.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{said}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
