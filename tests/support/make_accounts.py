"""Makes accounts, for a herd to sign in to. Run as a process, with the served Manta's variables."""

import sys

import django


def make(count: int) -> None:
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password

    from accounts.models import User
    from tests.support.visitor import PASSWORD

    password = make_password(PASSWORD)
    people = [User(email=email(number), password=password) for number in range(count)]
    User.objects.bulk_create(people)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, primary=True, verified=True) for user in people
    )


def email(number: int) -> str:
    return f"person{number}@example.com"


if __name__ == "__main__":
    django.setup()
    make(int(sys.argv[1]))
