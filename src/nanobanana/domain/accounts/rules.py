"""When two addresses are one, which are thrown away after use, and which passwords anybody would try first."""

import unicodedata

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email

from nanobanana.domain.accounts.common_passwords import COMMON_PASSWORDS

# Domains whose mailboxes are those of another one.
_OTHER_NAMES = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "pm.me": "proton.me",
}
# Characters that a domain leaves out when it looks for the mailbox.
_IGNORED = {"gmail.com": ".", "proton.me": ".-_"}

# Keyboard rows, alphabet, digits: a password that is a stretch of one of them, forwards or backwards, is no secret.
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "0123456789" * 2,
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8i9j0",
)
# "abcabcabcabc" is as good as "abc".
_LONGEST_REPEATED = 4
_DECORATION = "0123456789 !@#$%^&*()-_=+.,?/\\'\"~`;:|<>[]{}"


def fold_email(email: str) -> str:
    """One form for all spellings of an address: `Ada@Bücher.example`, `ada@xn--bcher-kva.example`."""
    try:
        parts = validate_email(email, check_deliverability=False)
        local, domain = parts.local_part, parts.ascii_domain
    except EmailNotValidError:  # the address of the development account, which nobody can write to
        local, _, domain = email.rpartition("@")
    return f"{_folded(local)}@{_folded(domain)}"


def fold_mailbox(email: str) -> str:
    """One form for all addresses whose mail lands in one mailbox, to count by: `A.da+x@googlemail.com`,
    `ada@gmail.com`. They stay accounts of their own. Whatever follows a + is cut off everywhere: few domains mean
    something else by it, and all of them are better counted too strictly than not at all."""
    local, _, domain = fold_email(email).rpartition("@")
    domain = _OTHER_NAMES.get(domain, domain)
    ignored = _IGNORED.get(domain, "")
    mailbox = "".join(character for character in local.partition("+")[0] if character not in ignored)
    return f"{mailbox}@{domain}"


def is_throwaway(email: str) -> bool:
    """Whether the domain, or one that it is part of, is known to hand out addresses for a few minutes."""
    labels = fold_email(email).rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels)))


def is_easily_guessed(password: str, *, email: str) -> bool:
    guess = _folded(password)
    bare = guess.strip(_DECORATION)
    address = _folded(email)
    own = {address, address.rpartition("@")[0], "nanobanana"}
    return (
        guess in COMMON_PASSWORDS
        or bare in COMMON_PASSWORDS
        or bool({guess, bare} & own)
        or _is_repetition(guess)
        or any(guess in run or guess in run[::-1] for run in _RUNS)
    )


def _is_repetition(text: str) -> bool:
    """Whether the text is a short piece over and over, the last time perhaps cut off."""
    return any(text[length:] == text[:-length] for length in range(1, _LONGEST_REPEATED + 1))


def _folded(text: str) -> str:
    # Casefolding can undo the normal form.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
