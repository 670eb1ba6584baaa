import pytest

from antrian.doctor.provider import addresses
from antrian.domain.errors import SettingsError
from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.settings import load_settings
from antrian.providers import registry
from antrian.providers.contract import Provider
from antrian.providers.receipt_readers import READERS


def made(environment: dict[str, str]) -> Provider:
    settings = load_settings(environment)
    return registry.make_provider(settings.lanes.first, sandbox_port=settings.sandbox_port)


COMPLETE = {
    "WHATSAPP_PROVIDER": "mpwa",
    "WHATSAPP_API_URL": "https://panel.example",
    "WHATSAPP_API_KEY": "s3cr3t",
    "WHATSAPP_SENDER": "6281100000000",
}


def test_mpwa_is_made_from_its_three_variables() -> None:
    assert made(COMPLETE).name == "mpwa"


def test_sandbox_needs_no_variables() -> None:
    provider = made({"WHATSAPP_PROVIDER": "sandbox", "SANDBOX_PORT": "18089"})

    assert (provider.name, vars(provider)["_url"]) == ("sandbox", "http://127.0.0.1:18089")


def test_sandbox_takes_the_variables_that_are_set() -> None:
    provider = made(COMPLETE | {"WHATSAPP_PROVIDER": "sandbox"})

    assert vars(provider)["_url"] == "https://panel.example"


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match="WHATSAPP_API_URL, WHATSAPP_API_KEY, WHATSAPP_SENDER"):
        made({"WHATSAPP_PROVIDER": "mpwa"})


def test_only_missing_variables_are_named() -> None:
    with pytest.raises(SettingsError, match=r"also needs: WHATSAPP_API_KEY$"):
        made(COMPLETE | {"WHATSAPP_API_KEY": ""})


def test_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"'pigeon' is not known; known providers: mpwa, .*sandbox"):
        made({"WHATSAPP_PROVIDER": "pigeon"})


@pytest.mark.parametrize(
    ("name", "option", "kept_as"), [("waha", "session", "_session"), ("gowa", "device_id", "_device_id")]
)
def test_gateway_is_made_from_its_variables_and_options(name: str, option: str, kept_as: str) -> None:
    provider = made(COMPLETE | {"WHATSAPP_PROVIDER": name, "WHATSAPP_PROVIDER_OPTIONS": f"{option}=shop"})

    assert (provider.name, vars(provider)[kept_as]) == (name, "shop")


OPTIONS = {"meta_cloud": "phone_number_id=1066", "twilio": f"account_sid=AC{'0' * 32}"}


@pytest.mark.parametrize("name", [name for name, kind in PROVIDERS.items() if kind.default_url])
def test_provider_with_an_address_of_its_own_needs_none_and_takes_another(name: str) -> None:
    variables = COMPLETE | {"WHATSAPP_PROVIDER": name, "WHATSAPP_PROVIDER_OPTIONS": OPTIONS.get(name, "")}
    settings = load_settings(variables | {"WHATSAPP_API_URL": ""})

    assert vars(made(variables | {"WHATSAPP_API_URL": ""}))["_url"].startswith(PROVIDERS[name].default_url)
    assert vars(made(variables))["_url"].startswith("https://panel.example")
    assert list(addresses(settings)) == [PROVIDERS[name].default_url]


def test_every_reader_is_of_a_provider_of_the_catalog() -> None:
    assert set(READERS) <= set(PROVIDERS)


@pytest.mark.parametrize("name", ["mpwa", "sandbox", "waha", "gowa", "fonnte"])
def test_provider_that_echoes_our_id_says_which(name: str) -> None:
    """As the catalog has it, and so that an attempt without an answer can be settled by its receipt."""
    provider = made(COMPLETE | {"WHATSAPP_PROVIDER": name})

    assert bool(provider.echoed_id("m:0:1")) == PROVIDERS[name].echoes_id
    assert provider.echoed_id("m:0:1") == provider.echoed_id("m:0:1")


def test_options_that_are_missing_are_named_with_the_variables() -> None:
    with pytest.raises(
        SettingsError, match=r"also needs: WHATSAPP_API_KEY, phone_number_id in WHATSAPP_PROVIDER_OPTIONS$"
    ):
        made(COMPLETE | {"WHATSAPP_PROVIDER": "meta_cloud", "WHATSAPP_API_KEY": ""})


def test_wrong_options_are_named_and_never_quoted() -> None:
    options = "phone_number_id=g3heim,ttl=5,direct_send=marketing"
    with pytest.raises(SettingsError) as caught:
        made(COMPLETE | {"WHATSAPP_PROVIDER": "meta_cloud", "WHATSAPP_PROVIDER_OPTIONS": options})

    text = str(caught.value)
    assert "WHATSAPP_PROVIDER_OPTIONS: phone_number_id must be digits" in text
    assert "ttl must be seconds, 30 to 43200" in text
    assert "direct_send must be utility or authentication" in text
    assert "g3heim" not in text


def test_one_sender_s_option_is_not_shared_by_several_lanes() -> None:
    with pytest.raises(SettingsError, match="phone_number_id is one sender's: describe several lanes in"):
        made(
            COMPLETE
            | {"WHATSAPP_PROVIDER": "meta_cloud", "WHATSAPP_PROVIDER_OPTIONS": "phone_number_id=1066"}
            | {"WHATSAPP_QUEUE_LANES": "a,b=6281100000001"}
        )


def test_meta_needs_no_address() -> None:
    provider = made(
        COMPLETE
        | {"WHATSAPP_PROVIDER": "meta_cloud", "WHATSAPP_PROVIDER_OPTIONS": "phone_number_id=1066"}
        | {"WHATSAPP_API_URL": ""}
    )

    assert vars(provider)["_url"] == "https://graph.facebook.com/v25.0/1066/messages"


def test_every_provider_of_the_catalog_can_be_made_and_no_other() -> None:
    assert set(registry._PROVIDERS) == set(PROVIDERS)
