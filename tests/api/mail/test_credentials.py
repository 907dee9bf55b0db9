import asyncio

import pytest
from httpx2 import AsyncClient

from nanobanana.services import Services
from tests.api.mail.conftest import Desk
from tests.api.mail.server import MailServer, link_of, text_of, token_of
from tests.people import PASSWORD, Person
from tests.web.browser import FROM_OURS

NEW = "quite another password"


async def logs_in(client: AsyncClient, email: str, password: str) -> bool:
    response = await client.post("/v1/auth/login", json={"email": email, "password": password})
    return response.status_code == 200


async def reset_token(client: AsyncClient, mail_server: MailServer, email: str) -> str:
    await client.post("/v1/auth/forgot-password", json={"email": email})
    return token_of(await mail_server.mail())


class TestForgottenPassword:
    async def test_the_link_sets_a_new_password_ends_all_sessions_and_tells_the_owner(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        token = await reset_token(client, mail_server, alice.email)
        reset = await client.post("/v1/auth/reset-password", json={"token": token, "password": NEW})
        told = await mail_server.mail()

        assert reset.status_code == 204
        assert not await logs_in(client, alice.email, PASSWORD)
        assert await logs_in(client, alice.email, NEW)
        assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 401
        assert (await client.get("/v1/generations", headers=alice.by_key)).status_code == 200
        assert (told["To"], "changed" in told["Subject"]) == (alice.email, True)

    async def test_known_and_unknown_addresses_are_answered_alike(
        self, client: AsyncClient, alice: Person
    ) -> None:
        known, unknown = [
            await client.post("/v1/auth/forgot-password", json={"email": email})
            for email in (alice.email, "nobody@example.com")
        ]

        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        assert known.status_code == 202
        assert known.headers.keys() == unknown.headers.keys()

    async def test_the_mail_goes_to_the_address_as_the_account_has_it(
        self, client: AsyncClient, desk: Desk
    ) -> None:
        """An address that only folds to the account's may belong to somebody else."""
        await desk.registered("strasse@example.com")
        await client.post("/v1/auth/forgot-password", json={"email": "stra\u00dfe@example.com"})

        assert (await desk.mail_server.mail())["To"] == "strasse@example.com"

    async def test_of_fifty_resets_at_once_one_counts(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        token = await reset_token(client, mail_server, alice.email)
        passwords = [f"password of visitor {number}" for number in range(50)]
        answers = await asyncio.gather(
            *(
                client.post("/v1/auth/reset-password", json={"token": token, "password": password})
                for password in passwords
            )
        )

        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [204] + [400] * 49
        assert await logs_in(client, alice.email, passwords[statuses.index(204)])

    @pytest.mark.parametrize(("minutes", "status"), [(59, 204), (61, 400)])
    async def test_the_link_lives_an_hour(
        self,
        client: AsyncClient,
        alice: Person,
        mail_server: MailServer,
        services: Services,
        minutes: int,
        status: int,
    ) -> None:
        token = await reset_token(client, mail_server, alice.email)
        later = "update one_time_tokens set expires_at = expires_at - make_interval(mins => %(minutes)s)"
        await services.database.statement(later, {"minutes": minutes})
        reset = await client.post("/v1/auth/reset-password", json={"token": token, "password": NEW})

        assert reset.status_code == status

    async def test_a_refused_password_does_not_use_the_link_up(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        token = await reset_token(client, mail_server, alice.email)
        common = await client.post("/v1/auth/reset-password", json={"token": token, "password": "qwertyuiop"})
        good = await client.post("/v1/auth/reset-password", json={"token": token, "password": NEW})

        assert (common.status_code, common.json()["error"]["param"]) == (400, "password")
        assert good.status_code == 204

    async def test_the_page_of_the_link_sets_the_password(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        await client.post("/v1/auth/forgot-password", json={"email": alice.email})
        mail = await mail_server.mail()
        shown = await client.get(link_of(mail))
        form = {"token": token_of(mail)}
        short = await client.post("/reset-password", data={**form, "password": "short"}, headers=FROM_OURS)
        done = await client.post("/reset-password", data={**form, "password": NEW}, headers=FROM_OURS)

        assert 'name="password"' in shown.text
        assert (short.status_code, done.status_code) == (400, 200)
        assert await logs_in(client, alice.email, NEW)


async def test_an_erased_account_gets_one_last_mail_and_no_other(
    client: AsyncClient, alice: Person, mail_server: MailServer, services: Services
) -> None:
    body = {"current_password": PASSWORD}
    erased = await client.request("DELETE", "/v1/account", json=body, headers=alice.by_session)
    told = await mail_server.mail()
    await client.post("/v1/auth/forgot-password", json={"email": alice.email})
    await services.people.credentials.send_password_reset(alice.email, base_url="http://nanobanana.test")

    assert erased.status_code == 202
    assert (told["To"], told["Subject"]) == (alice.email, "Your NanoBanana account is erased")
    assert mail_server.is_empty()


async def test_an_erased_address_registers_by_mail_as_if_it_were_new(
    client: AsyncClient, alice: Person, desk: Desk
) -> None:
    body = {"current_password": PASSWORD}
    await client.request("DELETE", "/v1/account", json=body, headers=alice.by_session)
    await desk.mail_server.mail()

    anew = await desk.registered(alice.email)

    assert (await client.get("/v1/account", headers=anew.by_session)).json()["email"] == alice.email


class TestChangedPassword:
    async def test_it_ends_all_other_sessions_and_tells_the_owner(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        login = {"email": alice.email, "password": PASSWORD}
        other = (await client.post("/v1/auth/login", json=login)).json()["access_token"]
        changed = await client.patch(
            "/v1/account",
            json={"password": NEW, "current_password": PASSWORD},
            headers=alice.by_session,
        )
        told = await mail_server.mail()

        assert changed.status_code == 200
        assert (await client.get("/v1/account", headers=alice.by_session)).status_code == 200
        gone = await client.get("/v1/account", headers={"Authorization": f"Bearer {other}"})
        assert gone.status_code == 401
        assert await logs_in(client, alice.email, NEW)
        assert (told["To"], "changed" in told["Subject"]) == (alice.email, True)

    async def test_a_wrong_current_password_changes_nothing(self, client: AsyncClient, alice: Person) -> None:
        body = {"password": NEW, "current_password": "not my password"}
        refused = await client.patch("/v1/account", json=body, headers=alice.by_session)

        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "wrong_password")
        assert await logs_in(client, alice.email, PASSWORD)

    async def test_of_fifty_changes_at_once_one_counts(self, client: AsyncClient, alice: Person) -> None:
        answers = await asyncio.gather(
            *(
                client.patch(
                    "/v1/account",
                    json={"password": f"password of visitor {number}", "current_password": PASSWORD},
                    headers=alice.by_session,
                )
                for number in range(50)
            )
        )

        assert [answer.status_code for answer in answers].count(200) == 1

    async def test_it_ends_resets_and_address_changes_under_way(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        reset = await reset_token(client, mail_server, alice.email)
        moving = {"email": "elsewhere@example.com", "current_password": PASSWORD}
        await client.patch("/v1/account", json=moving, headers=alice.by_session)
        confirmation = token_of(await mail_server.mail())
        body = {"password": NEW, "current_password": PASSWORD}
        await client.patch("/v1/account", json=body, headers=alice.by_session)

        used = await client.post("/v1/auth/reset-password", json={"token": reset, "password": PASSWORD})
        confirmed = await client.post("/v1/auth/confirm-email", json={"token": confirmation})
        assert (used.status_code, confirmed.status_code) == (400, 400)

    async def test_a_change_of_nothing_is_refused(self, client: AsyncClient, alice: Person) -> None:
        refused = await client.patch(
            "/v1/account", json={"current_password": PASSWORD}, headers=alice.by_session
        )

        assert refused.status_code == 400


class TestChangedAddress:
    @staticmethod
    async def move(client: AsyncClient, person: Person, email: str) -> int:
        body = {"email": email, "current_password": PASSWORD}
        return (await client.patch("/v1/account", json=body, headers=person.by_session)).status_code

    async def test_it_holds_once_the_new_address_confirms_and_the_old_one_is_told(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        assert await self.move(client, alice, "new@example.com") == 200
        asked = await mail_server.mail()
        before = (await client.get("/v1/account", headers=alice.by_session)).json()
        confirmed = await client.post("/v1/auth/confirm-email", json={"token": token_of(asked)})
        after = (await client.get("/v1/account", headers=alice.by_session)).json()
        told = await mail_server.mail()

        assert (asked["To"], before["email"]) == ("new@example.com", alice.email)
        assert (confirmed.status_code, after["email"]) == (204, "new@example.com")
        assert told["To"] == alice.email
        assert await logs_in(client, "new@example.com", PASSWORD)
        assert not await logs_in(client, alice.email, PASSWORD)

    async def test_of_fifty_confirmations_at_once_one_counts(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        await self.move(client, alice, "new@example.com")
        body = {"token": token_of(await mail_server.mail())}
        answers = await asyncio.gather(*(client.post("/v1/auth/confirm-email", json=body) for _ in range(50)))

        assert sorted(answer.status_code for answer in answers) == [204] + [400] * 49

    async def test_an_address_with_an_account_is_answered_alike_and_its_owner_told(
        self, client: AsyncClient, alice: Person, desk: Desk
    ) -> None:
        await desk.registered("bob@example.com")
        assert await self.move(client, alice, "bob@example.com") == 200
        mail = await desk.mail_server.mail()

        assert (mail["To"], "already" in mail["Subject"]) == ("bob@example.com", True)
        assert "http" not in text_of(mail)

    async def test_of_two_accounts_that_move_to_one_address_one_gets_it(
        self, client: AsyncClient, alice: Person, desk: Desk
    ) -> None:
        bob = await desk.registered("bob@example.com")
        tokens = []
        for person in (alice, bob):
            await self.move(client, person, "both@example.com")
            tokens.append(token_of(await desk.mail_server.mail()))
        answers = await asyncio.gather(
            *(client.post("/v1/auth/confirm-email", json={"token": token}) for token in tokens)
        )

        assert sorted(answer.status_code for answer in answers) == [204, 400]

    async def test_a_reset_mailed_to_the_old_address_ends(
        self, client: AsyncClient, alice: Person, mail_server: MailServer
    ) -> None:
        reset = await reset_token(client, mail_server, alice.email)
        await self.move(client, alice, "new@example.com")
        token = token_of(await mail_server.mail())
        await client.post("/v1/auth/confirm-email", json={"token": token})

        used = await client.post("/v1/auth/reset-password", json={"token": reset, "password": NEW})
        assert used.status_code == 400

    @pytest.mark.parametrize(("hours", "status"), [(23, 204), (25, 400)])
    async def test_the_link_lives_24_hours(
        self,
        client: AsyncClient,
        alice: Person,
        mail_server: MailServer,
        services: Services,
        hours: int,
        status: int,
    ) -> None:
        await self.move(client, alice, "new@example.com")
        token = token_of(await mail_server.mail())
        later = "update one_time_tokens set expires_at = expires_at - make_interval(hours => %(hours)s)"
        await services.database.statement(later, {"hours": hours})

        confirmed = await client.post("/v1/auth/confirm-email", json={"token": token})
        assert confirmed.status_code == status
