"""The words of mails about accounts, by language and kind: a subject, then paragraphs. `{link}` is one by itself."""

UNKNOWN_DEVICE = {"en": "an unknown device", "ru": "неизвестное устройство"}

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
        "passkey_added": (
            "A new passkey for {host}",
            "From now on a new passkey signs in to the account of {email} at {site}.",
            "If it was not you, remove it there at once, and choose a new password here, which removes all passkeys:",
            "{link}",
        ),
        "passkey_removed": (
            "A passkey for {host} was removed",
            "A passkey no longer signs in to the account of {email} at {site}.",
            "If it was not you, choose a new password here. It ends all sessions:",
            "{link}",
        ),
        "signup": (
            "Your account for {host}",
            "Somebody asked for an account with this address at {site}. Open this link to create it:",
            "{link}",
            "It works once, for a day. If you did not ask for it, ignore this mail: without you there is no account.",
        ),
        "has_account": (
            "You have an account for {host}",
            "Somebody asked for an account with this address at {site}. It has one already: log in there.",
            "If you do not know its password, or somebody else made it, ask for a new one here. It ends all sessions:",
            "{link}",
            "If you did not ask for it, ignore this mail.",
        ),
        "confirmation": (
            "Confirm this address for {host}",
            "An account at {site} has this address. Open this link and enter its password to confirm it:",
            "{link}",
            "It works once, for a day. If you did not create the account, ignore this mail.",
        ),
        "new_device": (
            "A new sign-in to {host}",
            "Your account {email} was signed in to from a device that is new to it: {device}, {time}.",
            "If it was you, there is nothing to do. If not, choose a new password here. It ends all sessions:",
            "{link}",
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
        "passkey_added": (
            "Новый ключ доступа для {host}",
            "Теперь в учётную запись {email} на сайте {site} можно войти новым ключом доступа.",
            "Если это сделали не вы, сразу удалите его там и задайте новый пароль здесь. Он удалит все ключи доступа:",
            "{link}",
        ),
        "passkey_removed": (
            "Ключ доступа для {host} удалён",
            "В учётную запись {email} на сайте {site} больше нельзя войти одним из ключей доступа.",
            "Если это сделали не вы, задайте новый пароль здесь. Все сеансы закончатся:",
            "{link}",
        ),
        "signup": (
            "Ваша учётная запись на {host}",
            "Кто-то запросил учётную запись с этим адресом на сайте {site}. Откройте ссылку, чтобы создать её:",
            "{link}",
            "Она действует один раз, сутки. Если это были не вы, ничего не делайте: без вас записи не будет.",
        ),
        "has_account": (
            "У вас есть учётная запись на {host}",
            "Кто-то запросил учётную запись с этим адресом на сайте {site}. Она уже есть: войдите на сайте.",
            "Если вы не знаете пароля или запись создали не вы, задайте новый пароль здесь. Все сеансы закончатся:",
            "{link}",
            "Если это были не вы, ничего не делайте.",
        ),
        "confirmation": (
            "Подтвердите этот адрес для {host}",
            "У учётной записи на сайте {site} этот адрес. Откройте ссылку и введите её пароль, чтобы подтвердить его:",
            "{link}",
            "Она действует один раз, сутки. Если учётную запись создали не вы, ничего не делайте.",
        ),
        "new_device": (
            "Новый вход на {host}",
            "В вашу учётную запись {email} вошли с нового для неё устройства: {device}, {time}.",
            "Если это были вы, ничего не делайте. Если нет, задайте новый пароль здесь. Все сеансы закончатся:",
            "{link}",
        ),
    },
}
