"""A bucket of its own for each test, at the S3 of the run."""

import os
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from nanobanana.domain.images import headers
from nanobanana.integrations.object_store.s3 import Bucket, open_bucket
from tests.s3_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, make_bucket


@dataclass(frozen=True)
class S3Bucket:
    endpoint: str
    name: str

    @property
    def public_url(self) -> str:
        """Where everybody may read it."""
        return f"{self.endpoint}/public/{self.name}"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "image_store": "s3",
            "r2_endpoint": self.endpoint,
            "r2_bucket": self.name,
            "r2_access_key_id": SecretStr(ACCESS_KEY_ID),
            "r2_secret_access_key": SecretStr(SECRET_ACCESS_KEY),
        }


@pytest.fixture
def s3_bucket() -> S3Bucket:
    bucket = S3Bucket(endpoint=os.environ["TEST_S3_URL"], name=f"test-{secrets.token_hex(8)}")
    make_bucket(bucket.endpoint, bucket.name)
    return bucket


def open_test_bucket(at: S3Bucket, **other: str) -> Bucket:
    arguments: dict[str, Any] = {
        "endpoint": at.endpoint,
        "bucket": at.name,
        "region": "auto",
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "public_url": None,
    }
    return open_bucket(**{**arguments, **other}, headers=headers.of_stored)
