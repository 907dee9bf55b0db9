"""However many refusals are settled at once, and in whichever processes: the account is suspended once."""

import asyncio
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.concurrency.cluster import Cluster, billing_of, running_cluster
from tests.people import sign_up

A_DAY = 50
SUSPENSIONS = """
    select (select count(*) from accounts where suspended_at is not null),
           (select count(*) from audit_log where action = 'suspend'),
           (select count(*) from procrastinate_jobs where task_name = 'send_account_suspended'),
           (select sum(refusals) from accounts)
"""


def _suspended(cluster: Cluster) -> tuple[int, ...] | None:
    """Accounts, rows of the log, mails; and refusals."""
    with psycopg.connect(cluster.database_url) as connection:
        return connection.execute(SUSPENSIONS).fetchone()


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    file = tmp_path / "terms.txt"
    file.write_text("zeppelin\n")
    return file


async def test_fifty_at_once_suspend_once_and_the_word_list_leaves_no_word_in_the_log(terms: Path) -> None:
    prompts = ["a banana [sandbox:image_safety,latency=0.3]", "a zeppelin over a very odd sunset"]
    with running_cluster(BLOCKLIST_FILE=str(terms), LOG_LEVEL="info") as cluster:
        async with cluster.client() as client, billing_of(cluster) as billing:
            ada = await sign_up(client, "ada@example.com")
            await billing.move(email=ada.email, plan="pro")

            async def refused(count: int) -> Counter[str]:
                bodies = [{"prompt": prompts[number % 2]} for number in range(count)]
                asked = (client.post("/v1/generate", json=body, headers=ada.by_key) for body in bodies)
                return Counter(answer.json()["error"]["code"] for answer in await asyncio.gather(*asked))

            assert await refused(A_DAY - 1) == {"content_policy": A_DAY - 1}
            assert _suspended(cluster) == (0, 0, 0, A_DAY - 1)

            assert (await refused(40)).keys() <= {"content_policy", "account_suspended"}
            accounts, rows, mails, refusals = _suspended(cluster) or ()
            assert (accounts, rows, mails) == (1, 1, 1)
            assert refusals >= A_DAY
            assert await refused(3) == {"account_suspended": 3}
            assert await billing.reconcile() == []
        said = cluster.service.said
    assert '"path":"/v1/generate"' in said
    for word in ("zeppelin", "odd sunset"):
        assert word not in said
