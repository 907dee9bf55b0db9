import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.door.checkout import ROOT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


def test_the_first_start_makes_the_environment_with_pip_and_the_second_installs_nothing(
    checkout: Checkout,
) -> None:
    # when
    first = checkout.nb("serve", "--port", "1", uv=False)
    # then
    assert first.stdout == "tiny 1.0 ['serve', '--port', '1']\n"
    assert "Installing packages done" in first.stderr
    # when, then
    assert checkout.nb("serve", uv=False).stderr == ""


def test_uv_is_used_when_it_is_there(checkout: Checkout) -> None:
    assert checkout.nb("serve").stdout == "tiny 1.0 ['serve']\n"
    assert not list(checkout.directory.glob(".venv/lib/*/site-packages/pip"))


def test_the_development_lock_goes_into_the_same_environment(checkout: Checkout) -> None:
    checkout.nb("serve")
    marker = checkout.directory / ".venv/marker"
    marker.touch()
    assert checkout.nb("test", "-k", "x").stdout == "pytest ['-k', 'x']\n"
    assert marker.exists()
    assert checkout.nb("serve").stderr == ""


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.nb("serve")
    checkout.lock("10.0")
    assert checkout.nb("serve").stdout == "tiny 10.0 ['serve']\n"


def test_an_environment_that_was_interrupted_is_made_anew(checkout: Checkout) -> None:
    # given
    checkout.nb("serve")
    (checkout.directory / ".venv/stamp-requirements.lock").unlink()
    (checkout.directory / ".venv/leftover").touch()
    # when, then
    assert checkout.nb("serve").stdout == "tiny 1.0 ['serve']\n"
    assert not (checkout.directory / ".venv/leftover").exists()


def test_a_checkout_that_was_moved_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.nb("serve")
    checkout.directory = checkout.directory.rename(checkout.directory.with_name("moved"))
    assert "Installing packages done" in checkout.nb("serve").stderr


def test_two_starts_at_once_make_one_environment(checkout: Checkout) -> None:
    command = [sys.executable, str(checkout.directory / "nb"), "serve"]
    starts = [
        subprocess.Popen(
            command, env=checkout.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [start.communicate() for start in starts]
    assert [stdout for stdout, _ in said] == ["tiny 1.0 ['serve']\n"] * 2
    assert sorted("done" in stderr for _, stderr in said) == [False, True]


def test_a_package_that_is_not_the_pinned_one_is_refused_and_nothing_is_stamped(checkout: Checkout) -> None:
    # given
    lock = checkout.directory / "requirements.lock"
    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    # when
    done = checkout.nb("serve")
    # then
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert "Installing packages failed" in done.stderr
    assert not list(checkout.directory.glob(".venv/stamp-*"))


def test_python_without_its_venv_module_says_what_to_install(checkout: Checkout) -> None:
    # as Debian's without python3-venv
    code = "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = ['nb', 'serve']; "
    code += f"runpy.run_path({str(checkout.directory / 'nb')!r}, run_name='__main__')"
    done = checkout.run([sys.executable, "-c", code], uv=False)
    assert done.returncode == 1
    assert f"sudo apt install python3.{sys.version_info.minor}-venv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_older_python_can_read_the_door_and_says_what_it_needs() -> None:
    source = (ROOT / "nb").read_text()
    ast.parse(source, feature_version=(3, 7))
    code = "import sys; sys.version_info = (3, 7, 9); exec(compile(open(sys.argv[1]).read(), 'nb', 'exec'))"
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT / "nb"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("NanoBanana needs Python 3.11 or newer and this is 3.7.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_needs_no_environment(checkout: Checkout, arguments: list[str]) -> None:
    done = checkout.nb(*arguments)
    assert "./nb serve" in done.stdout
    assert not (checkout.directory / ".venv").exists()
