import pytest

from nanobanana.domain.accounts.rules import fold_email, fold_mailbox, is_easily_guessed, is_throwaway

EMAIL = "adalovelace@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "1234567890", "0987654321", "9876543210", "qwertyuiop", "poiuytrewq", "abcdefghij", "1q2w3e4r5t",
        "aaaaaaaaaa", "x" * 1024, "1212121212", "abcabcabca", "abcdabcdabcd",
        "password123", "Password123!", "PASSWORD1234", "123password", "letmein12345", "iloveyou!!!!!",
        EMAIL, "AdaLovelace@Example.com", "adalovelace", "adalovelace1815", "nanobanana", "NanoBanana2026!",
    ],
)  # fmt: skip
def test_what_anybody_would_try_first_is_refused(password: str) -> None:
    assert is_easily_guessed(password, email=EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "wombat quince 7", "tr0ub4dor&3x", "mynanobananas", "abcdeabcde",
        "1234567890abz", "adalovelacefan", "пароль и кот", "x7q!m2v9pz",
    ],
)  # fmt: skip
def test_other_passwords_are_taken(password: str) -> None:
    assert not is_easily_guessed(password, email=EMAIL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada@b\u00fccher.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@bu\u0308cher.example.com", "ada@B\u00dcCHER.example.com"),
        ("jos\u00e9@example.com", "JOSE\u0301@example.com"),
        ("stra\u00dfe@example.com", "STRASSE@example.com"),
    ],
)
def test_spellings_of_one_address_fold_to_one(one: str, other: str) -> None:
    assert fold_email(one) == fold_email(other)


def test_dots_and_tags_belong_to_the_address() -> None:
    assert len({fold_email(f"{local}@gmail.com") for local in ("ada", "a.da", "ada+x")}) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@gmail.com", "A.d.a@GMail.com"),
        ("ada@gmail.com", "ada+nanobanana+2@gmail.com"),
        ("ada@gmail.com", "a.da+x@googlemail.com"),
        ("ada@icloud.com", "ada+x@me.com"),
        ("ada@proton.me", "a_d-a.+x@protonmail.com"),
        ("ada@example.com", "Ada+x@Example.com"),
        ("ada@b\u00fccher.example.com", "ada+x@xn--bcher-kva.example.com"),
    ],
)
def test_addresses_of_one_mailbox_count_as_one(one: str, other: str) -> None:
    assert fold_mailbox(one) == fold_mailbox(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@gmail.com", "adam@gmail.com"),
        ("ada@gmail.com", "ada@example.com"),
        ("a.da@example.com", "ada@example.com"),
        ("ada@outlook.com", "ada@hotmail.com"),
        ("a.da@icloud.com", "ada@icloud.com"),
        ("ada@gmail.com", "ada@gmail.com.example.com"),
    ],
)
def test_addresses_of_two_mailboxes_count_as_two(one: str, other: str) -> None:
    assert fold_mailbox(one) != fold_mailbox(other)


@pytest.mark.parametrize(
    "domain", ["mailinator.com", "a.b.Mailinator.COM", "yopmail.com", "10minutemail.com"]
)
def test_domains_of_throwaway_addresses_are_known_with_all_below_them(domain: str) -> None:
    assert is_throwaway(f"ada@{domain}")


@pytest.mark.parametrize(
    "domain",
    [
        "example.com", "gmail.com", "outlook.com", "icloud.com", "proton.me", "gmx.de", "qq.com", "duck.com",
        "ourmailinator.com", "mailinator.com.example.com", "localhost.localdomain",
    ],
)  # fmt: skip
def test_other_domains_are_taken(domain: str) -> None:
    assert not is_throwaway(f"mailinator.com@{domain}")
