import subprocess
import sys
from pathlib import Path

import pytest

from nanobanana.storage.embedded.claim import Claim


def test_a_claim_has_one_owner_and_the_others_read_what_it_announced(tmp_path: Path) -> None:
    with Claim(tmp_path, "x") as owner, Claim(tmp_path, "x") as other:
        assert owner.take_or_read(patience_s=0) is None
        owner.announce({"url": "here"})
        assert other.take_or_read(patience_s=0) == {"url": "here"}


def test_what_a_dead_owner_announced_is_ignored(tmp_path: Path) -> None:
    # given
    with Claim(tmp_path, "x") as owner:
        owner.take(patience_s=0)
        owner.announce({"url": "here"})
    # when, then
    with Claim(tmp_path, "x") as next_owner:
        assert next_owner.take_or_read(patience_s=0) is None


def test_what_a_dead_owner_started_still_holds_the_claim_but_offers_nothing(tmp_path: Path) -> None:
    # given
    with Claim(tmp_path, "x") as owner:
        owner.take(patience_s=0)
        owner.announce({"url": "here"})
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[owner.inherited_fd]
        )
    with Claim(tmp_path, "x") as other:
        with pytest.raises(TimeoutError):
            other.take_or_read(patience_s=0.1)
        # when
        child.communicate(b"\n")
        # then
        assert other.take_or_read(patience_s=1) is None


def test_an_owner_that_withdrew_is_not_joined(tmp_path: Path) -> None:
    with Claim(tmp_path, "x") as owner, Claim(tmp_path, "x") as other:
        owner.take(patience_s=0)
        owner.announce({"url": "here"})
        owner.withdraw()
        with pytest.raises(TimeoutError):
            other.take_or_read(patience_s=0.1)


def test_its_files_are_closed_to_others(tmp_path: Path) -> None:
    with Claim(tmp_path, "x"):
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
