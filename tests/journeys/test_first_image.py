"""The ways of a newcomer, over HTTP, against the service as it is started."""

import html
import io
import json
import re
import shlex
import subprocess

from httpx2 import Client
from PIL import Image

from tests.cli.serving import Service
from tests.journeys.said import lines_about
from tests.people import PASSWORD
from tests.web.browser import form_token_of


def test_the_printed_line_pasted_into_a_shell_gives_a_picture(lasting_service: Service) -> None:
    (line,) = re.findall(r"curl .*", lasting_service.said)

    answer = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True).stdout

    (url,) = re.findall(r'"url":\s*"([^"]+)"', answer)
    with Client() as client:
        image = Image.open(io.BytesIO(client.get(url).content))
    assert image.size == (1024, 1024)


def test_register_take_the_key_post_a_prompt_receive_a_picture(lasting_service: Service) -> None:
    with Client(base_url=lasting_service.url, timeout=30) as client:
        credentials = {"email": "ada@example.com", "password": PASSWORD}
        key = client.post("/v1/auth/register", json=credentials).json()["api_key"]["key"]
        by_key = {"Authorization": f"Bearer {key}"}

        made = client.post("/v1/generate", json={"prompt": "a banana"}, headers=by_key).json()
        listed = client.get("/v1/generations", headers=by_key).json()["data"]

        assert [row["url"] for row in listed] == [made["url"]]
        assert client.get(made["url"]).headers["content-type"] == "image/jpeg"


def test_register_on_the_page_paste_its_line_and_the_page_has_the_picture(lasting_service: Service) -> None:
    ours, part = {"Origin": lasting_service.url}, {"HX-Request": "true"}
    with Client(base_url=lasting_service.url, timeout=30) as client:
        form = {"email": "grace@example.com", "password": PASSWORD, "terms": "yes"}
        welcome = client.post("/register", data=form, headers=ours).text
        before = client.get("/welcome/first-image", headers=part)
        (line,) = re.findall(r'<pre id="first-call-text-1".*?<code>(.*?)</code>', welcome, re.DOTALL)
        answer = subprocess.run(html.unescape(line), shell=True, capture_output=True, text=True, check=True)
        after = client.get("/welcome/first-image", headers=part)

    assert before.status_code == 204
    assert json.loads(answer.stdout)["id"] in after.text
    assert "Your first image" in after.text


def test_a_request_is_one_json_line_without_prompt_or_secret(lasting_service: Service) -> None:
    key = (lasting_service.data_dir / "development_api_key").read_text().strip()
    secret_key = (lasting_service.data_dir / "secret_key").read_text().strip()
    with Client(base_url=lasting_service.url, timeout=30) as client:
        by_key = {"Authorization": f"Bearer {key}"}
        asked = [
            client.post("/v1/generate", json={"prompt": prompt}, headers=by_key)
            for prompt in ("a hidden banana", "[sandbox:image_safety] a hidden banana")
        ]
        wrong = {"email": "ada@example.com", "password": "a wrong password"}
        asked.append(client.post("/v1/auth/login", json=wrong))
    ids = [answer.headers["X-Request-Id"] for answer in asked]

    lines = lines_about(ids, lasting_service)
    requests = [(line["path"], line["status"]) for line in lines if line["event"] == "request"]
    assert requests == [("/v1/generate", 200), ("/v1/generate", 422), ("/v1/auth/login", 401)]
    for secret in ("hidden banana", "wrong password", secret_key):
        assert secret not in lasting_service.said
    assert key not in lasting_service.said.replace(lasting_service.announced, "")


def test_no_log_line_holds_the_session_of_a_browser_whatever_becomes_of_the_request(
    lasting_service: Service,
) -> None:
    credentials = {"email": "bob@example.com", "password": PASSWORD}
    ours = {"Origin": lasting_service.url}
    with Client(base_url=lasting_service.url, timeout=30) as client:
        client.post("/v1/auth/register", json=credentials)
        client.post("/login", data=credentials, headers=ours)
        session = client.cookies["nb_session"]
        form_token = form_token_of(client.get("/account"))
        form = {"form_token": form_token}
        answers = [
            client.get("/account", params={"next": session}),
            client.get("/account/nothing", headers={"X-Request-Id": session, "User-Agent": session}),
            client.post(f"/account/sessions/{session}/end", data=form, headers=ours),
            client.post("/logout", headers={"Sec-Fetch-Site": "cross-site"}),
            client.post("/logout", data={"form_token": session}, headers=ours),
            client.post("/login", content=b"x" * 65_537, headers=ours),
            client.get("/v1/account", headers={"Authorization": f"Bearer {session[:-1]}"}),
            client.post("/logout", data=form, headers=ours),
        ]
    lines = lines_about([answer.headers["X-Request-Id"] for answer in answers], lasting_service)

    assert [answer.status_code for answer in answers] == [200, 404, 404, 403, 403, 413, 401, 303]
    assert len(lines) >= len(answers)
    for secret in (session.removeprefix("nb_session_"), form_token):
        assert secret not in lasting_service.said
