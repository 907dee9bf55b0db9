"""Token buckets: one per key, model and window."""

from unittest.mock import patch
from uuid import uuid4

import httpx2
import pytest

from nanobanana_sandbox.calls import Call
from nanobanana_sandbox.config import SandboxConfig
from nanobanana_sandbox.errors import GoogleError
from nanobanana_sandbox.quotas import Quotas
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import StartSandbox


def _call(key: str) -> Call:
    return Call(
        version="v1beta",
        parent="models",
        model_id="gemini-nano-banana-2.1",
        method="generateContent",
        key=key,
        http_method="POST",
        path="/",
        headers={},
        body=b"",
    )


def test_a_minutes_quota_refills_evenly() -> None:
    with patch("nanobanana_sandbox.quotas.time.monotonic") as clock:
        clock.return_value = 0.0
        quotas = Quotas(SandboxConfig(requests_per_minute=6))

        for _ in range(6):
            quotas.take(_call("a"))
        with pytest.raises(GoogleError, match=r"Please retry in 10s\."):
            quotas.take(_call("a"))
        clock.return_value = 10.0
        quotas.take(_call("a"))


def test_a_dry_day_takes_nothing_from_the_minute() -> None:
    quotas = Quotas(SandboxConfig(requests_per_minute=2, requests_per_day=1))
    quotas.take(_call("a"))

    for _ in range(3):
        with pytest.raises(GoogleError) as caught:
            quotas.take(_call("a"))

        violation = caught.value.body["error"]["details"][1]["violations"][0]
        assert violation["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel-PaidTier"


def test_a_configured_quota_is_googles_429_for_its_key_alone(start_sandbox: StartSandbox) -> None:
    url = start_sandbox("--requests-per-minute", "2")
    with httpx2.Client(base_url=url) as http:
        caller, other = (Caller(http, key=f"test-{uuid4().hex}") for _ in range(2))

        statuses = [caller.generate(scenario="no_image").status_code for _ in range(3)]

        assert statuses == [200, 200, 429]
        assert other.generate(scenario="no_image").status_code == 200
