"""The gateway of `make run`: the same as elsewhere, with the page of this machine's mails."""

from functions import gateway
from local import mail_page

if __name__ == "__main__":
    gateway.main(mail_page.routes)
