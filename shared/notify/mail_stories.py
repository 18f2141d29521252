"""What a mail says about a job or a group, as text and as HTML.

Whatever comes from a prompt is escaped in the HTML, and on one line everywhere.
"""

from collections.abc import Collection
from dataclasses import dataclass

from shared.jobs.states import State
from shared.notify.mail_html import escape, one_line, shorten
from shared.notify.mail_words import WORDS
from shared.notify.store import MailClaim, MailJob

MOST_LINKS = 200
"""Links to single pictures and videos in one mail; each job has one of its own besides."""

_PROMPT_CHARACTERS, _CHARACTERS_IN_GROUP = 300, 100


@dataclass(frozen=True, slots=True)
class Story:
    """The words of a mail: how it ended in one sentence, and the parts of the text and of the HTML."""

    outcome: str
    text: list[str]
    html: list[str]


class _Writer:
    """Writes text and HTML side by side. `shown`: the ids of the pictures that the mail has inside."""

    def __init__(self, claim: MailClaim, site: str, shown: Collection[str]) -> None:
        self.words = WORDS[claim.language]
        self.site = site
        self.shown = shown
        self.text: list[str] = []
        self.html: list[str] = []
        self.numbers = {image.id: number for number, image in enumerate(claim.images, 1)}

    def say(self, text: str) -> None:
        self.text.append(text)
        self.html.append(f"<p>{escape(text)}</p>")

    def prompt(self, prompt: str, most: int) -> None:
        if prompt := shorten(one_line(prompt), most):
            self.text.append(f"    {prompt}")
            self.html.append(f'<blockquote dir="auto">{escape(prompt)}</blockquote>')

    def job(self, job: MailJob) -> None:
        url = f"{self.site}/pictures/{job.id}"
        self.text.append(f"{self.words['job']}\n{url}")
        self.html.append(f"<p>{escape(self.words['job'])} {_link(url)}</p>")

    def picture(self, image_id: str) -> None:
        title = escape(self.words["picture"].format(n=self.numbers[image_id]))
        shown = f'<img src="cid:{image_id}@easel" alt="{title}" width="256">' if image_id in self.shown else title
        self.html.append(f'<p><a href="{escape(self.site)}/i/{image_id}">{shown}</a></p>')

    def video(self, image_id: str) -> None:
        url = f"{self.site}/i/{image_id}?timelapse=1"
        self.text.append(f"{self.words['video']}\n{url}")
        poster = f'<br><img src="cid:{image_id}@easel" alt="" width="256">' if image_id in self.shown else ""
        self.html.append(f"<p>{escape(self.words['video'])} {_link(url, poster)}</p>")

    def end(self) -> None:
        off = self.words["off"].format(site=self.site)
        self.text.append(off)
        self.html.append(f'<p class="quiet">{escape(off)}</p>')


def write_story(claim: MailClaim, site: str, shown: Collection[str]) -> Story:
    """Return what the mail says. site: the site's address; shown: the ids of the pictures that the mail has inside."""
    writer = _Writer(claim, site, shown)
    outcome = _outcome(claim)
    writer.html.append(f"<h1>{escape(outcome)}</h1>")
    if claim.outbox == "group_mails":
        writer.text.append(f"{outcome}.")
        _write_group(writer, claim)
    else:
        _write_job(writer, claim.jobs[0], outcome)
    writer.end()
    return Story(outcome, writer.text, writer.html)


def _outcome(claim: MailClaim) -> str:
    words = WORDS[claim.language]
    ready = sum(len(job.images) or job.n for job in claim.jobs if not _has_failed(job))
    failed = sum(job.n for job in claim.jobs if _has_failed(job))
    if ready and failed:
        return words["some"].format(n=ready, all=ready + failed)
    count = ready + failed
    if any(job.is_training for job in claim.jobs):
        return words["likeness_failed" if failed else "likeness"]
    return words[("one" if count == 1 else "many") + ("_failed" if failed else "")].format(n=count)


def _has_failed(job: MailJob) -> bool:
    return job.state != State.SUCCEEDED.value


def _write_job(writer: _Writer, job: MailJob, outcome: str) -> None:
    words = writer.words
    if _has_failed(job):
        reason = one_line(job.error_message or "")
        writer.text += [f"{outcome}. {reason}", words["quota"]]
        writer.html += [f"<p>{escape(reason)}</p>", f"<p>{escape(words['quota'])}</p>"]
    else:
        writer.text.append(f"{outcome}.")
    writer.prompt(job.prompt, _PROMPT_CHARACTERS)
    for image in job.images:
        writer.picture(image.id)
    writer.job(job)
    if job.images:
        writer.text.append("\n".join([words["links"], *(f"{writer.site}/i/{image.id}" for image in job.images)]))
    for image in job.images:
        if image.has_video:
            writer.video(image.id)


def _write_group(writer: _Writer, claim: MailClaim) -> None:
    """Write each job with its links; first those that succeeded, then why the others did not."""
    left = MOST_LINKS
    for job in claim.jobs:
        if _has_failed(job):
            continue
        writer.prompt(job.prompt, _CHARACTERS_IN_GROUP)
        url = f"{writer.site}/pictures/{job.id}"
        images = job.images[:left]
        left -= len(images)
        writer.text.append("\n".join([url, *(f"{writer.site}/i/{image.id}" for image in images)]))
        for image in images:
            writer.picture(image.id)
        writer.html.append(f"<p>{_link(url)}</p>")
        for image in images:
            if image.has_video:
                writer.video(image.id)
    failed = [job for job in claim.jobs if _has_failed(job)]
    if failed:
        writer.say(writer.words["failed"])
    for job in failed:
        writer.prompt(job.prompt, _CHARACTERS_IN_GROUP)
        url, reason = f"{writer.site}/pictures/{job.id}", one_line(job.error_message or "")
        writer.text.append(f"{reason}\n{url}")
        writer.html.append(f"<p>{escape(reason)} {_link(url)}</p>")
    if claim.cancelled:
        writer.say(writer.words["cancelled"].format(n=claim.cancelled))


def _link(url: str, inside: str = "") -> str:
    """Return a link that shows its address, and after it what is HTML already."""
    return f'<a href="{escape(url)}">{escape(url)}{inside}</a>'
