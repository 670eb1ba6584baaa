"""What `antrian up` leaves for the commands beside it."""

from antrian.domain.settings import load_settings
from antrian.up.run_record import beside_up, recorded


def settings_of(folder, **more):
    return load_settings({"ANTRIAN_HOME": str(folder)} | more)


def test_beside_a_running_up_its_provider_counts_until_it_ends(tmp_path):
    sandbox = settings_of(tmp_path, WHATSAPP_PROVIDER="sandbox")
    with recorded(sandbox):
        assert beside_up(settings_of(tmp_path)).whatsapp_provider == "sandbox"
        assert beside_up(settings_of(tmp_path, WHATSAPP_PROVIDER="mpwa")).whatsapp_provider == "mpwa"
    assert beside_up(settings_of(tmp_path)).whatsapp_provider == "mpwa"


def test_what_a_killed_up_left_behind_does_not_count(tmp_path):
    (tmp_path / "up.json").write_text('{"whatsapp_provider": "sandbox"}')
    assert beside_up(settings_of(tmp_path)).whatsapp_provider == "mpwa"


def test_a_second_up_in_the_same_folder_does_not_wait_for_the_first(tmp_path):
    sandbox = settings_of(tmp_path, WHATSAPP_PROVIDER="sandbox")
    with recorded(sandbox):
        with recorded(sandbox):
            pass
        assert beside_up(settings_of(tmp_path)).whatsapp_provider == "sandbox"
