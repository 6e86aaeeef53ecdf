"""``create_administrator`` at a terminal, in a script, and twice (outside.md, Commands)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from django.core.management import CommandError, call_command

from registry.models import AuditEvent, User
from tests import processes
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roles")]

PASSWORD = "neljä-tuulta-8"
NAMED = ("create_administrator", "--username", "bertta")


def created() -> User:
    user = User.objects.get()
    assert user.username == "bertta"
    assert user.check_password(PASSWORD)
    assert [role.name for role in user.groups.all()] == ["administrator"]
    assert (user.is_superuser, user.is_staff, user.is_active) == (False, False, True)
    return user


def test_exit_0_with_the_password_from_standard_input() -> None:
    done = processes.run(*NAMED, "--password-stdin", given=f"{PASSWORD}\n")
    assert (done.returncode, done.stdout) == (0, "The administrator bertta was created.\n"), done.stderr
    user = User.objects.get()
    assert user.password.startswith("argon2")
    assert [role.name for role in user.groups.all()] == ["administrator"]
    event = AuditEvent.objects.get()
    assert (event.action, event.basis) == ("CREATE_USER", "create_administrator command")
    assert event.details == {"user": "bertta", "roles": "administrator"}
    assert PASSWORD not in done.stdout + done.stderr


def give(password: str, username: str = "bertta") -> None:
    """The command with the password in the environment, away from a terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMINISTRATOR_PASSWORD", password)
        call_command("create_administrator", "--username", username)


def test_the_password_may_come_from_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    give(PASSWORD)
    created()
    assert capsys.readouterr().out == "The administrator bertta was created.\n"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("tuuli-8", "too short"),
        ("1234567890123456", "numeric"),
        ("password1234", "common"),
        ("bertta.virta", "similar"),
    ],
)
def test_exit_1_for_a_password_that_is_too_easy(password: str, words: str) -> None:
    with pytest.raises(CommandError, match=words) as error:
        give(password, username="bertta.virtanen")
    assert error.value.returncode == 1
    assert password not in str(error.value)
    assert not User.objects.exists()


def test_exit_1_for_a_name_that_cannot_be_or_is_taken() -> None:
    UserFactory.create(username="aino")
    for name, words in (("a b", "valid username"), ("aino", "already exists"), ("x" * 151, "150 characters")):
        with pytest.raises(CommandError, match=words) as error:
            give(PASSWORD, name)
        assert error.value.returncode == 1


def test_exit_1_when_there_is_an_administrator() -> None:
    give(PASSWORD)
    created()
    again = processes.run("create_administrator", "--username", "toinen", "--password-stdin", given=f"{PASSWORD}\n")
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is an administrator already." in again.stderr
    assert "Traceback" not in again.stderr
    created()


def test_an_administrator_who_is_not_in_use_does_not_count() -> None:
    UserFactory.create(username="entinen", roles=["administrator"], is_active=False)
    give(PASSWORD)
    assert User.objects.filter(username="bertta", groups__name="administrator").exists()


def test_exit_2_without_a_name_or_a_password() -> None:
    wrong = processes.run(*NAMED, "--password-stdin")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Give --username and the password" in wrong.stderr
    for password, username in (("", "bertta"), (PASSWORD, "")):
        with pytest.raises(CommandError, match="Give --username") as error:
            give(password, username)
        assert error.value.returncode == 2
    assert not User.objects.exists()


def at_a_terminal(talk: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Calls the command at a terminal and answers each prompt. Returns the exit code and all that was on the screen."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "create_administrator"],
        cwd=processes.ROOT,
        env=processes.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = ""
    try:
        for prompt, answer in talk:
            while not screen.endswith(prompt):
                screen += os.read(ours, 1000).decode()
            os.write(ours, f"{answer}\n".encode())
        while part := os.read(ours, 1000):
            screen += part.decode()
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    return process.wait(30), screen


@pytest.mark.timeout(60)
def test_at_a_terminal_it_asks_and_shows_no_password() -> None:
    asked = [("Username: ", "bertta"), ("Password: ", PASSWORD), ("Password again: ", PASSWORD)]
    code, screen = at_a_terminal(asked)
    assert (code, PASSWORD in screen) == (0, False), screen
    assert "The administrator bertta was created." in screen
    assert User.objects.get().username == "bertta"


@pytest.mark.timeout(60)
def test_at_a_terminal_two_different_passwords_are_none() -> None:
    asked = [("Username: ", "bertta"), ("Password: ", PASSWORD), ("Password again: ", "muuta")]
    code, screen = at_a_terminal(asked)
    assert code == 1
    assert "The passwords differ." in screen
    assert not User.objects.exists()
