"""The HTTP API's own description, as a file for generators of clients."""

import json

from admin_api.app import create_app
from admin_api.dependencies import no_services
from antrian.domain.settings import load_settings


def openapi() -> str:
    """The OpenAPI document; what it says depends on no setting."""
    return json.dumps(create_app(no_services(load_settings({}))).openapi(), indent=2, ensure_ascii=False) + "\n"
