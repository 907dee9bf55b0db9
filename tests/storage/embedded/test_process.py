import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from nanobanana.storage.embedded.process import spawn, stop

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
)
PARENT = """
import time
from nanobanana.storage.embedded.process import spawn
print(spawn(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a signal for a parent's death")
def test_a_process_dies_with_a_killed_parent() -> None:
    # given
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        # when
        parent.kill()
    # then
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone or child.status() == psutil.STATUS_ZOMBIE


def test_a_thread_may_not_start_what_would_die_with_it() -> None:
    with ThreadPoolExecutor() as pool, pytest.raises(RuntimeError, match="thread"):
        pool.submit(spawn, ["true"]).result()


def test_a_process_that_ignores_its_signals_is_killed() -> None:
    # given
    process = spawn([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    # when
    stop(process, (signal.SIGTERM, 0.1))
    # then
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()
