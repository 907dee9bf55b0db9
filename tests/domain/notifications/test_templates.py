"""All mails, as their samples have them."""

import html
import re

import pytest
from jinja2 import UndefinedError

from nanobanana.domain.notifications import letters, samples
from nanobanana.integrations.email.types import Mail
from nanobanana.web.pages import wants_page

NAMES = samples.template_names()
# Codes and links are for the eye of whoever has the mail open: a subject shows on locked screens.
TOLD = re.compile(r"https?://[^\s\"<]+|\b\d{6}\b")


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\s:,.]+", text)


def visible(page: str) -> str:
    body = page.partition("<body")[2].partition(">")[2]
    return html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\xa0", " ")


async def mails_of(name: str) -> list[Mail]:
    return [
        mail
        for url in ("https://nanobanana.example", None)
        for mail in await samples.samples(name, pages_url=url)
    ]


def test_every_template_has_a_sample() -> None:
    assert sorted(samples._SENT) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_text_and_html_say_the_same_word_for_word(name: str) -> None:
    for mail in await mails_of(name):
        text = words_of(mail.text.replace("\n--\nNanoBanana\n", "\n", 1))
        assert words_of(visible(mail.html)) == ["NanoBanana", *text]


@pytest.mark.parametrize("name", NAMES)
async def test_html_is_whole_and_needs_nothing_from_elsewhere(name: str) -> None:
    for mail in await mails_of(name):
        assert '<html lang="en">' in mail.html
        assert f"<title>{html.escape(mail.subject)}</title>" in mail.html.replace("&#39;", "&#x27;")
        assert '<meta name="color-scheme" content="light dark">' in mail.html
        assert mail.html.count("<h1") == 1
        # What the policy of the preview allows, and mail programs show without asking.
        assert not re.search(
            r"<(script|link|img|object|iframe|svg|form|base)|\ssrc=|url\(|@import|\son\w+=", mail.html
        )
        assert "{{" not in mail.html + mail.text
        assert max(map(len, re.findall(r"^(?! *https?:).*$", mail.text, re.MULTILINE))) <= 92


@pytest.mark.parametrize("name", NAMES)
async def test_links_and_codes_are_in_both_parts_and_in_no_subject(name: str) -> None:
    for mail in await mails_of(name):
        links = [html.unescape(link) for link in re.findall(r'href="([^"]+)"', mail.html)]
        assert set(links) <= set(mail.text.split())
        assert set(TOLD.findall(visible(mail.html))) == set(TOLD.findall(mail.text))
        assert not TOLD.search(mail.subject)
        assert mail.html.count('target="_blank"') == len(links)


@pytest.mark.parametrize("name", NAMES)
async def test_where_our_pages_are_is_not_made_up(name: str) -> None:
    at_all = {link for mail in await samples.samples(name) for link in TOLD.findall(mail.text)}
    without = {
        link for mail in await samples.samples(name, pages_url=None) for link in TOLD.findall(mail.text)
    }

    gone = at_all - without
    assert "https://nanobanana.example/docs" in gone
    assert not any("token=" in link for link in gone)
    assert all("token=" in link or "example.com" in link or link.isdigit() for link in without)


def test_what_a_template_is_not_given_breaks_it() -> None:
    with pytest.raises(UndefinedError):
        letters.letter("verify_address", to="ada@example.com", pages_url=None, values={"code": "042137"})


def test_links_lead_to_pages() -> None:
    told = "".join(path.read_text() for path in letters.FOLDER.rglob("*.html"))
    paths = re.findall(r'to_page\(pages_url, "(/[\w-]+)', told)

    assert len(paths) >= 7
    assert all(wants_page({"path": path, "headers": []}) for path in paths)
