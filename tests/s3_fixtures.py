"""A bucket of its own for each test, at the S3 of the run."""

import os
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

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
