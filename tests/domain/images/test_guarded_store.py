import asyncio
import time
from pathlib import Path

import pytest

from nanobanana.domain.images import guarded_store
from nanobanana.domain.images.guarded_store import FAILURES_TO_OPEN, GuardedStore
from nanobanana.integrations.object_store.errors import StoreError
from nanobanana.integrations.object_store.local import LocalFolder
from tests.logs import logged_by

NAME = "2026/11/28/abcdefghijklmnopqrstuvwxyzabcd.png"


class ShakyFolder(LocalFolder):
    """Fails, hangs or works, as it is told."""

    fails = False
    hangs = False
    puts = 0

    async def put(self, name: str, data: bytes, *, keep_s: int | None) -> None:
        self.puts += 1
        if self.hangs:
            await asyncio.sleep(60)
        if self.fails:
            raise StoreError("nothing can be written")
        await super().put(name, data, keep_s=keep_s)


@pytest.fixture
def folder(tmp_path: Path) -> ShakyFolder:
    return ShakyFolder(tmp_path)


@pytest.fixture
def store(folder: ShakyFolder) -> GuardedStore:
    return GuardedStore(folder)


async def fails(store: GuardedStore) -> bool:
    try:
        await store.put(NAME, b"picture", keep_s=None)
    except StoreError:
        return True
    return False


async def test_failures_in_a_row_open_it_and_only_a_probe_that_leaves_nothing_closes_it(
    store: GuardedStore, folder: ShakyFolder
) -> None:
    folder.fails = True
    assert await fails(store)
    folder.fails = False
    assert not await fails(store)
    folder.fails = True
    for _ in range(FAILURES_TO_OPEN):
        assert not store.is_away
        assert await fails(store)
    assert store.is_away

    asked = folder.puts
    folder.fails = False
    assert await fails(store)
    assert folder.puts == asked
    folder.fails = True
    await store.probe()
    assert store.is_away
    folder.fails = False
    await store.probe()
    await store.probe()

    assert not store.is_away
    assert store.changed_at == pytest.approx(time.time(), abs=10)
    assert folder.puts == asked + 2
    assert await folder.names("2*/*/*/") == [NAME]


async def test_the_log_tells_each_change_once(store: GuardedStore, folder: ShakyFolder) -> None:
    folder.fails = True
    with logged_by(guarded_store) as logs:
        for _ in range(FAILURES_TO_OPEN + 3):
            await fails(store)
        await store.probe()
        folder.fails = False
        await store.probe()

    events = [line["event"] for line in logs]
    assert events == [*["picture_not_stored"] * FAILURES_TO_OPEN, "store_away", "store_back"]
    assert {line.get("detail") for line in logs} == {"nothing can be written", None}


async def test_a_store_that_hangs_holds_nobody_longer_than_those_who_find_out(
    store: GuardedStore, folder: ShakyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_store, "PATIENCE_S", 1)
    folder.hangs = True
    # Some of them find out in the same moment.
    early = [asyncio.create_task(fails(store)) for _ in range(20)]
    await asyncio.sleep(0.7)
    began = time.monotonic()
    late = [asyncio.create_task(fails(store)) for _ in range(20)]

    assert await asyncio.gather(*early, *late) == [True] * len([*early, *late])
    assert time.monotonic() - began < 0.8
    assert await fails(store)
    await store.probe()
    assert store.is_away
