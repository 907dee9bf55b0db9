"""The scripted queue and the journal, each test with a key of its own."""

from uuid import uuid4

import pytest

from nanobanana_sandbox.scenarios import SCENARIOS, as_markdown
from tests.sandbox.caller import MODEL, Caller


def _script(caller: Caller, *entries: str) -> None:
    assert caller.post("/_sandbox/script", {"scenarios": list(entries)}).status_code == 200


def test_a_script_is_used_up_in_order_one_entry_a_call(caller: Caller) -> None:
    _script(caller, "overloaded", "ok", "quota_day,list_error")

    statuses = [caller.generate().status_code for _ in range(4)]

    assert statuses == [503, 200, 429, 200]


def test_a_script_belongs_to_its_key(caller: Caller) -> None:
    _script(caller, "overloaded")

    other = Caller(caller.http, key=f"test-{uuid4().hex}")

    assert other.generate().status_code == 200
    assert caller.generate().status_code == 503


def test_a_script_can_be_cleared(caller: Caller) -> None:
    _script(caller, "overloaded")

    caller.delete("/_sandbox/script")

    assert caller.generate().status_code == 200


def test_what_stands_is_for_every_call_that_finds_the_queue_used_up_until_it_is_cleared(
    caller: Caller,
) -> None:
    assert caller.put("/_sandbox/standing", {"scenario": "overloaded"}).status_code == 200
    _script(caller, "ok")
    other = Caller(caller.http, key=f"test-{uuid4().hex}")

    statuses = [caller.generate().status_code for _ in range(4)]
    caller.delete("/_sandbox/script")

    assert statuses == [200, 503, 503, 503]
    assert other.generate().status_code == caller.generate().status_code == 200


@pytest.mark.parametrize("body", [{"scenario": "overloded"}, {"scenario": ["ok"]}, {}])
def test_what_stands_with_a_typing_error_is_refused_at_once(caller: Caller, body: object) -> None:
    assert caller.put("/_sandbox/standing", body).status_code == 400


def test_a_call_that_is_refused_uses_up_its_entry_too(caller: Caller) -> None:
    _script(caller, "ok", "overloaded")

    statuses = [caller.generate(model="gemini-99").status_code, caller.generate().status_code]

    assert statuses == [404, 503]


@pytest.mark.parametrize(
    "body", [{"scenarios": ["overloded"]}, {"scenarios": "ok"}, {"scenarios": [1]}, {}, []]
)
def test_a_script_with_a_typing_error_is_refused_at_once(caller: Caller, body: object) -> None:
    assert caller.post("/_sandbox/script", body).status_code == 400


def test_the_journal_shows_what_was_received_without_the_key(caller: Caller) -> None:
    caller.generate("a fox", headers={"x-server-timeout": "30"})

    (call,) = caller.http.get(f"/_sandbox/calls?key={caller.key}").json()["calls"]

    assert (call["http_method"], call["path"]) == ("POST", f"/v1beta/models/{MODEL}:generateContent")
    assert (call["model"], call["method"]) == (MODEL, "generateContent")
    assert call["body"]["contents"][0]["parts"] == [{"text": "a fox"}]
    assert call["headers"]["x-server-timeout"] == "30"
    assert caller.key not in str(call)


@pytest.mark.parametrize(
    ("scenario", "made"),
    [("ok", True), ("truncate", True), ("overloaded", False), ("html_502", False), ("image_safety", False)],
)
def test_the_journal_tells_which_calls_made_a_picture(caller: Caller, scenario: str, *, made: bool) -> None:
    caller.generate(scenario=scenario)

    (call,) = caller.get("/_sandbox/calls").json()["calls"]

    assert call["made_picture"] is made


def test_the_journal_belongs_to_its_key_and_can_be_cleared(caller: Caller) -> None:
    other = Caller(caller.http, key=f"test-{uuid4().hex}")
    caller.generate(scenario="overloaded")
    other.generate(scenario="overloaded")

    caller.delete("/_sandbox/calls")

    assert caller.get("/_sandbox/calls").json() == {"calls": []}
    assert len(other.get("/_sandbox/calls").json()["calls"]) == 1


@pytest.mark.parametrize("path", ["/_sandbox/calls", "/_sandbox/calls?key=nobody"])
def test_control_needs_a_key_that_is_accepted(caller: Caller, path: str) -> None:
    assert caller.http.get(path).status_code in (400, 403)


def test_the_table_is_served_and_printed(caller: Caller) -> None:
    served = [row["name"] for row in caller.get("/_sandbox/scenarios").json()["scenarios"]]

    assert served == list(SCENARIOS)
    assert all(
        f"| `[sandbox:{row.example}]` | {row.description} |" in as_markdown() for row in SCENARIOS.values()
    )
