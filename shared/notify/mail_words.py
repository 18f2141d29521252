"""The words of mails, by language."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "one": "Your picture is ready",
        "many": "Your {n} pictures are ready",
        "some": "{n} of your {all} pictures are ready",
        "one_failed": "Your picture could not be made",
        "many_failed": "Your {n} pictures could not be made",
        "quota": "The job does not count against today's quota.",
        "job": "The job, with its recipe and its timeline:",
        "links": "Links that never expire:",
        "picture": "Picture {n}",
        "video": "The video of its making:",
        "failed": "These could not be made, and do not count against today's quota:",
        "cancelled": "Cancelled jobs: {n}.",
        "off": "You asked Easel for this mail. Your account at {site} turns it off.",
    },
    "ru": {
        "one": "Ваша картина готова",
        "many": "Ваши картины готовы ({n})",
        "some": "Картины готовы: {n} из {all}",
        "one_failed": "Ваша картина не получилась",
        "many_failed": "Ваши картины не получились ({n})",
        "quota": "Задание не засчитывается в сегодняшнюю норму.",
        "job": "Задание, его рецепт и ход работы:",
        "links": "Постоянные ссылки:",
        "picture": "Картина {n}",
        "video": "Видео о том, как она писалась:",
        "failed": "Эти не получились и не засчитываются в сегодняшнюю норму:",
        "cancelled": "Отменено заданий: {n}.",
        "off": "Вы просили Easel об этом письме. Отключить письма можно в учётной записи: {site}.",
    },
}
