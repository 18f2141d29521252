"""The words of mails about accounts, by language and kind: a subject, then paragraphs. `{link}` is one by itself."""

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "reset": (
            "A new password for {host}",
            "Somebody asked for a new password for the account of {email}. Open this link to choose one:",
            "{link}",
            "It works once, for 30 minutes. All sessions and API tokens of the account end with the new password.",
            "If you did not ask for it, ignore this mail: your password stays as it is.",
        ),
        "password_changed": (
            "Your password for {host} was changed",
            "The password of the account of {email} at {site} was changed.",
            "If it was not you, ask for a new password there at once, and check who reads your mail.",
        ),
        "email_change": (
            "Confirm this address for {host}",
            "An account at {site} is to have this address. Open this link to confirm it:",
            "{link}",
            "It works once, for a day. If you have no account there, or did not ask for this, ignore this mail.",
        ),
        "email_changed": (
            "Your address for {host} was changed",
            "Your account at {site} has another address now. Mail for it no longer goes to {email}.",
            "If it was not you, write to those who run the site.",
        ),
        "second_factor_on": (
            "Two-step log-in for {host} is on",
            "From now on logging in to the account of {email} at {site} needs a code of an authenticator app.",
            "Keep the recovery codes in a safe place. If it was not you, write to those who run the site.",
        ),
        "second_factor_off": (
            "Two-step log-in for {host} is off",
            "Logging in to the account of {email} at {site} needs only the password from now on.",
            "If it was not you, change your password there at once, and switch two-step log-in on again.",
        ),
    },
    "ru": {
        "reset": (
            "Новый пароль для {host}",
            "Кто-то запросил новый пароль для учётной записи {email}. Откройте ссылку, чтобы задать его:",
            "{link}",
            "Она действует один раз, 30 минут. С новым паролем закончатся все сеансы и токены API этой учётной записи.",
            "Если это были не вы, ничего не делайте: пароль останется прежним.",
        ),
        "password_changed": (
            "Пароль для {host} изменён",
            "Пароль учётной записи {email} на сайте {site} изменён.",
            "Если это сделали не вы, сразу запросите там новый пароль и проверьте, кто читает вашу почту.",
        ),
        "email_change": (
            "Подтвердите этот адрес для {host}",
            "У учётной записи на сайте {site} будет этот адрес. Откройте ссылку, чтобы подтвердить его:",
            "{link}",
            "Она действует один раз, сутки. Если вы об этом не просили, ничего не делайте.",
        ),
        "email_changed": (
            "Адрес для {host} изменён",
            "У вашей учётной записи на сайте {site} теперь другой адрес. Письма о ней на {email} больше не приходят.",
            "Если это сделали не вы, напишите тем, кто ведёт сайт.",
        ),
        "second_factor_on": (
            "Двухэтапный вход для {host} включён",
            "Теперь для входа в учётную запись {email} на сайте {site} нужен код из приложения.",
            "Храните запасные коды в надёжном месте. Если это сделали не вы, напишите тем, кто ведёт сайт.",
        ),
        "second_factor_off": (
            "Двухэтапный вход для {host} выключен",
            "Теперь для входа в учётную запись {email} на сайте {site} достаточно пароля.",
            "Если это сделали не вы, сразу смените там пароль и снова включите двухэтапный вход.",
        ),
    },
}
