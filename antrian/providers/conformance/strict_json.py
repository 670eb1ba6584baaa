"""Reads the JSON that adapters write, and refuses what servers read in different ways."""

import json
from typing import Any

from antrian.providers.conformance.check import ConformanceError


def read_json(body: bytes) -> Any:
    """What a request's JSON says.

    Raises:
        ConformanceError: it is none; a name stands there twice; or it says NaN, which is no JSON.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ConformanceError(f"the request's body is no JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ConformanceError("the request's JSON has a name twice")
    return dict(pairs)


def _no_number(word: str) -> None:
    raise ConformanceError(f"the request's JSON says {word}, which is no JSON")
