import pytest

from nanobanana.settings import Settings
from nanobanana.worker import jobs


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The timetable does not purge here: the tests say when."""
    timetable = jobs.timetable
    monkeypatch.setattr(
        "nanobanana.worker.process.timetable",
        lambda services: [job for job in timetable(services) if job.name != "purge_pictures"],
    )
    return settings
