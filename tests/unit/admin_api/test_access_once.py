import subprocess
import sys
import threading

import pytest

from admin_api.auth.login_links import GOOD_FOR, ensure_first_token, issue, link, redeem
from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from antrian.domain.settings import load_settings

NOW = 1_800_000_000.0


@pytest.fixture
def settings(tmp_path):
    return load_settings({"ANTRIAN_HOME": str(tmp_path)})


def test_a_code_works_once(settings):
    code = issue(settings, "abc", NOW)
    assert redeem(settings, code, NOW + 1) == "abc"
    assert redeem(settings, code, NOW + 1) is None


def test_a_code_is_good_for_ten_minutes(settings):
    code = issue(settings, "abc", NOW)
    assert redeem(settings, code, NOW + GOOD_FOR) is None


def test_a_wrong_code_spoils_no_other(settings):
    code = issue(settings, "abc", NOW)
    assert redeem(settings, "wrong", NOW) is None
    assert redeem(settings, "\ud800", NOW) is None
    assert redeem(settings, code, NOW) == "abc"


def test_codes_are_kept_as_hashes_for_the_owner_alone(settings, tmp_path):
    code = issue(settings, "abc", NOW)
    kept = tmp_path / "login-codes.json"
    assert code not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_old_codes_do_not_pile_up(settings, tmp_path):
    for number in range(5):
        issue(settings, "abc", NOW + number * 1000)
    assert (tmp_path / "login-codes.json").read_text().count('"abc"') == 1


def test_of_many_threads_one_gets_in(settings):
    code = issue(settings, "abc", NOW)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(redeem(settings, code, NOW))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer or "" for answer in answers) == [""] * 15 + ["abc"]


def test_of_two_processes_one_gets_in(settings, tmp_path):
    code = issue(settings, "abc", NOW)
    program = (
        "import sys; from admin_api.auth.login_links import redeem; from antrian.domain.settings import load_settings\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(redeem(load_settings({'ANTRIAN_HOME': sys.argv[1]}), sys.argv[2], float(sys.argv[3])), flush=True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path), code, str(NOW)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=".") for _ in range(2)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    assert sorted(process.communicate(timeout=60)[0].strip() for process in both) == ["None", "abc"]


def test_the_first_token_is_an_admins_and_is_made_once(settings):
    first = ensure_first_token(settings)
    assert ensure_first_token(settings) == first
    [token] = TokenFile(settings.tokens_file).tokens().values()
    assert (token.id, token.name, token.role) == (first, "up", Role.ADMIN)


def test_a_name_that_somebody_else_took_is_no_hindrance(settings):
    file = TokenFile(settings.tokens_file)
    file.create(Role.VIEWER, "up", NOW)
    first = ensure_first_token(settings)
    assert file.tokens()[first].role is Role.ADMIN
    assert ensure_first_token(settings) == first


def test_the_link_leads_to_the_login_page():
    assert link("http://127.0.0.1:8080", "abc") == "http://127.0.0.1:8080/admin/whatsapp-queue/login?once=abc"
