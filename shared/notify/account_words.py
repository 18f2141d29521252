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
    },
}
