"""What holds for every page there is, and stays JSON elsewhere."""

import re

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from nanobanana.services import Services
from nanobanana.settings import Settings
from nanobanana.web.pages import wants_page
from tests.people import Person
from tests.web.browser import FROM_OURS, log_in
from tests.web.routes import ID, page_routes, some_path


async def answers_of(client: AsyncClient, app: FastAPI) -> list[Response]:
    return [
        await client.request(method, some_path(route), headers=headers)
        for route in page_routes(app)
        for method in sorted(route.methods)
        for headers in ({}, FROM_OURS)
    ]


def scripts_of(answer: Response) -> list[str]:
    return [answer.text[match.start() :] for match in re.finditer("<script", answer.text)]


def policy_of(answer: Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


async def test_every_page_has_a_strict_policy_and_is_kept_nowhere(
    client: AsyncClient, app: FastAPI, alice: Person
) -> None:
    anonymous = await answers_of(client, app)
    await log_in(client, alice.email)
    answers = anonymous + await answers_of(client, app)

    assert len(answers) >= 2 * 2 * 13
    assert {answer.status_code for answer in answers} == {200, 303, 400, 401, 403, 404}
    for answer in answers:
        policy = policy_of(answer)
        assert (policy["default-src"], policy["style-src"]) == ("'none'", "'self'")
        assert policy["form-action"] == "'self'"
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in str(policy)
        assert all(re.match(r'<script defer src="/static/', rest) for rest in scripts_of(answer))
        assert not re.search(r"\s(style|on\w+)=", answer.text)
        # The documentation is the same for everybody.
        kept = "public, max-age=300" if answer.url.path == "/docs" else "no-store"
        assert answer.headers["cache-control"] == kept
        assert answer.headers["x-content-type-options"] == "nosniff"
        # With no-referrer, browsers send `Origin: null` with our own forms.
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]


async def test_whatever_changes_something_is_refused_from_other_sites(
    client: AsyncClient, app: FastAPI, alice: Person
) -> None:
    await log_in(client, alice.email)
    unsafe = [route for route in page_routes(app) if route.methods - {"GET", "HEAD"}]
    answers = [
        await client.request(method, some_path(route), headers={"Sec-Fetch-Site": "cross-site"})
        for route in unsafe
        for method in route.methods
    ]

    assert len(answers) >= 6
    assert {answer.status_code for answer in answers} == {403}
    assert all("cross_site_request" in answer.text for answer in answers)


async def test_every_field_has_a_label(client: AsyncClient, alice: Person) -> None:
    forms = [
        await client.get(path) for path in ("/", "/login", "/register", "/forgot-password", "/reset-password")
    ]
    await log_in(client, alice.email)
    key = (await client.get("/v1/keys", headers=alice.by_session)).json()["data"][0]["id"]
    of_account = [f"/account/{name}" for name in ("email", "password", "erase")]
    forms += [await client.get(path) for path in ("/keys", f"/keys/{key}", *of_account)]
    for form in forms:
        fields = re.findall(r"<(?:input|textarea|select)\b(?![^>]*type=\"hidden\")", form.text)
        assert len(fields) == form.text.count("<label") > 0


async def test_an_error_on_a_page_is_a_page_with_its_code_and_request(
    client: AsyncClient, app: FastAPI
) -> None:
    answers = [
        (404, "not_found", await client.get("/account/nothing")),
        (405, "method_not_allowed", await client.put("/login", headers=FROM_OURS)),
        (413, "body_too_large", await client.post("/login", content=b"x" * 65_537, headers=FROM_OURS)),
        (403, "cross_site_request", await client.post("/verify-email")),
    ]

    for status, code, answer in answers:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<code>{code}</code>" in answer.text
        assert answer.headers["x-request-id"] in answer.text
    assert answers[1][2].headers["allow"] == "GET, POST"
    assert "takes what a form sends" in answers[1][2].text
    # Whether somebody is logged in it cannot know.
    assert not any('href="/login"' in answer.text for _, _, answer in answers)
    assert all(wants_page({"path": route.path, "headers": []}) for route in page_routes(app))


async def test_a_page_that_breaks_says_so_and_no_more(
    client: AsyncClient, alice: Person, services: Services
) -> None:
    await log_in(client, alice.email)
    await services.database.statement("alter table sessions rename column user_agent to renamed", {})
    answer = await client.get("/account")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "internal_error" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "user_agent" not in answer.text


async def test_whoever_followed_a_link_that_leads_nowhere_sees_a_page(client: AsyncClient) -> None:
    for path in ("/nothing", "/accounts", "/images/2026/11/28/nothing.jpg"):
        answer = await client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert (await client.get(path)).json()["error"]["code"] == "not_found"


async def test_what_programs_call_answers_json_to_everybody(client: AsyncClient) -> None:
    for path in ("/v1/nothing", "/v1/account", "/static/nothing.css"):
        answer = await client.get(path, headers={"Accept": "text/html"})
        assert answer.json()["error"]["code"] in {"not_found", "invalid_session"}


async def test_the_api_takes_no_cookie(client: AsyncClient, app: FastAPI, alice: Person) -> None:
    await log_in(client, alice.email)
    assert (await client.get("/account")).status_code == 200
    json = {"prompt": "a cat", "current_password": "x" * 10}
    guarded = [
        (method, path.format(id=ID, delivery_id=ID), json if "requestBody" in operation else None)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    ]
    answers = [await client.request(method, path, json=body) for method, path, body in guarded]

    assert len(answers) >= 14
    assert {answer.status_code for answer in answers} == {401}


async def test_the_style_sheet_is_kept_for_good_under_a_name_of_its_content(client: AsyncClient) -> None:
    page = (await client.get("/login")).text
    (path,) = {word.split('"')[1] for word in page.split() if word.startswith('href="/static/style.')}
    style = await client.get(path)

    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "prefers-color-scheme: dark" in style.text
    assert "url(" not in style.text
    missing = [await client.get(f"/static/{name}") for name in ("style.css", "..%2Fpages.py", "%00")]
    assert {answer.status_code for answer in missing} == {404}


async def test_over_http_nobody_is_told_to_use_https(client: AsyncClient) -> None:
    for path in ("/login", "/healthz", "/v1/account"):
        assert "strict-transport-security" not in (await client.get(path)).headers


class TestOverHttps:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://nanobanana.test"})

    async def test_browsers_are_told_to_stay_there(self, client: AsyncClient, app: FastAPI) -> None:
        pages = [some_path(route) for route in page_routes(app) if "GET" in route.methods]
        for path in (*pages, "/account/nothing", "/healthz", "/v1/account"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000"
