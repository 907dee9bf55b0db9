import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

from tests.door.checkout import Checkout

FAKE_UV = """#!/bin/sh
while [ "$1" != "-o" ]; do shift; done
echo "# $PWD" > "$2"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Its tools stand in for the real ones: all of them are content, and the locks are up to date."""
    checkout = Checkout(tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for tool in ("ruff", "python", "lint-imports"):
        set_tool(checkout, tool, f"#!/bin/sh\necho {tool} is content\n")
    set_tool(checkout, "uv", FAKE_UV)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / lock).write_text(f"# {tmp_path}\n")
        stamp(checkout, lock)
    return checkout


def test_every_step_is_named_with_its_time(checkout: Checkout) -> None:
    done = checkout.nb("check")
    assert done.returncode == 0
    *steps, summary = done.stdout.splitlines()
    assert [step.split(" ok ")[0].strip() for step in steps] == [
        "format",
        "lint",
        "types",
        "import floors",
        "locks",
    ]
    assert all(step.endswith(" s") for step in steps)
    assert summary == "check: all well"


def test_all_steps_run_though_one_fails_and_the_exit_code_tells(checkout: Checkout) -> None:
    set_tool(checkout, "python", "#!/bin/sh\necho 'a type is wrong'\nexit 1\n")
    done = checkout.nb("check")
    assert done.returncode == 1
    assert "a type is wrong" in done.stdout
    assert "locks" in done.stdout
    assert done.stdout.splitlines()[-1] == "check: failed: types"


def test_a_lock_that_does_not_fit_is_named_and_left_alone(checkout: Checkout) -> None:
    # given
    lock = checkout.directory / "requirements.lock"
    lock.write_text("# old\n")
    stamp(checkout, "requirements.lock")
    # when
    done = checkout.nb("check")
    # then
    assert done.returncode == 1
    assert "Not what pyproject.toml asks for: requirements.lock. Run ./nb lock." in done.stdout
    assert lock.read_text() == "# old\n"


def test_lock_writes_both(checkout: Checkout) -> None:
    (checkout.directory / "requirements-dev.lock").write_text("# old\n")
    stamp(checkout, "requirements-dev.lock")
    assert checkout.nb("lock").returncode == 0
    assert (checkout.directory / "requirements-dev.lock").read_text() == f"# {checkout.directory}\n"


def test_bench_without_a_name_lists_what_there_is(checkout: Checkout) -> None:
    benchmarks = checkout.directory / "benchmarks"
    benchmarks.mkdir()
    (benchmarks / "fast.py").write_text('"""How fast."""\nif __name__ == "__main__":\n    pass\n')
    (benchmarks / "shared.py").write_text('"""No benchmark of its own."""\n')
    assert checkout.nb("bench").stdout == "  ./nb bench fast         How fast.\n"


def set_tool(checkout: Checkout, name: str, script: str) -> None:
    path = checkout.directory / ".venv/bin" / name
    path.write_text(script)
    path.chmod(0o755)


def stamp(checkout: Checkout, lock: str) -> None:
    """As after an installation, by the door's own rule."""
    loader = importlib.machinery.SourceFileLoader("nb", str(checkout.directory / "nb"))
    spec = importlib.util.spec_from_loader("nb", loader)
    assert spec
    door = importlib.util.module_from_spec(spec)
    loader.exec_module(door)
    door.stamp_of(lock).write_text(door.digest(lock))
