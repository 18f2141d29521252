"""How easily a password is guessed."""

import pytest

from shared.accounts.strength import MAX_CHARACTERS, is_well_known, with_few_readings

EMAIL = "ada.lovelace@example.com"


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "p4ssw0rd1234", "p4$$w0rdp4$$w0rd", "qwertyuiop[]asdfghjkl", "a" * 128, EMAIL, EMAIL * 3],
)
def test_a_well_known_password(password: str) -> None:
    assert is_well_known(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "four unusual words here",
        "a" * MAX_CHARACTERS + "lighthouse tulip 82 fog",
        EMAIL + "fW9!xk2Lq0Zt",
    ],
)
def test_a_password_that_takes_long_to_guess_at_its_beginning_or_its_end(password: str) -> None:
    assert not is_well_known(password, EMAIL)


def test_only_a_bounded_part_of_a_password_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def estimate(part: str, user_inputs: list[str]) -> dict[str, float]:
        seen.append(part)
        return {"guesses": 1}

    monkeypatch.setattr("zxcvbn.zxcvbn", estimate)
    assert is_well_known("lighthouse" * 12, EMAIL)
    assert seen == [("lighthouse" * 12)[:MAX_CHARACTERS], ("lighthouse" * 12)[-MAX_CHARACTERS:]]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("p4$$w0rd", "p4$$w0rd"),
        ("correct horse", "correct horse"),
        ("4@(<{81", "4@(<•81"),
        ("длинный пароль", "длинный пароль"),
    ],
)
def test_symbols_have_few_readings_as_letters(text: str, read: str) -> None:
    assert with_few_readings(text) == read
