"""People read a sentence for each code of the official providers, and not the code."""

import re
from pathlib import Path

from antrian.providers.meta_cloud.answers import MEANINGS as OF_META
from antrian.providers.twilio.answers import MEANINGS as OF_TWILIO

CAUSES = Path(__file__).parents[3] / "admin_api/dashboard/static/causes.js"


def test_every_code_has_words_on_the_page() -> None:
    known = set(re.findall(r'^  "?([a-z-]+)"?: t\(', CAUSES.read_text(encoding="utf-8"), re.MULTILINE))
    codes = {meaning.code for meaning in (*OF_META.values(), *OF_TWILIO.values())}

    assert codes | {"needs-template", "bad-template", "too-long", "needs-phone", "server-error"} <= known
