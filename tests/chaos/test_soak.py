"""kill -9 of web processes, worker and supervisor every few seconds, for minutes."""

import asyncio
import sys

import pytest

from tests.chaos.figures import Figures

MINUTES, KILL_EVERY_S = 3, 5
# What the bench takes to start, and for the last of its work.
MORE_S = 60


@pytest.mark.timeout(600)
async def test_kill_9_every_few_seconds_loses_no_row_and_no_picture(figures: Figures, *, full: bool) -> None:
    if not full:
        pytest.skip("in ./nb chaos")
    command = ["benchmarks/soak.py", "--minutes", str(MINUTES), "--kill-every", str(KILL_EVERY_S)]
    soak = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    ended = asyncio.create_task(soak.communicate())
    await figures.wait("./nb bench soak", seconds=MINUTES * 60 + MORE_S)
    said, _ = await ended
    figures.say(said.decode())
    figures.expect("exit code of ./nb bench soak", soak.returncode, is_=0)
    figures.hold()
