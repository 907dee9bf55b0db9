"""One cluster with Redis and one without, for all tests that are about both."""

from collections.abc import Iterator

import pytest

from tests.concurrency.cluster import FREE_A_DAY, Cluster, running_cluster


@pytest.fixture(scope="package", params=["with Redis", "with Redis gone"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    redis = request.param == "with Redis"
    with running_cluster(redis=redis, FREE_IMAGES_PER_DAY=str(FREE_A_DAY)) as cluster:
        yield cluster
