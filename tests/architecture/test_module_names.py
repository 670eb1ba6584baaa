"""Names: each class has one, and none of the metaphors that were given up comes back."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("antrian", "publisher", "consumer", "admin_api")

#: The publisher's own tree of errors has two names that users already catch.
TWICE = {"BrokerUnavailable"}

#: Modules and folders that had names of their own instead of the field's.
METAPHORS = frozenset(
    """
    actors adopted_pace barrier burial caller choice collector continuation conversation covering deed
    depths desk doorkeeper drift endless_answer errand gate guard handover intake known lane_watch leftovers
    listing moment once orders outstanding parcel parts portable readings recorder refusals replacement
    restoration shipment sieve signals simulation survey tally turn visit wiring witness wording
    """.split()  # noqa: SIM905 (a page of words reads better than a column)
)


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_a_class_name_exists_once():
    places = defaultdict(list)
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1 and name not in TWICE} == {}


def test_no_module_is_called_by_a_metaphor():
    named = {path: {path.stem, path.parent.name} & METAPHORS for path in modules()}
    assert [str(path.relative_to(ROOT)) for path, words in named.items() if words] == []


def test_every_package_says_what_it_is_for():
    packages = [path for path in modules() if path.name == "__init__.py"]
    assert [
        str(path.relative_to(ROOT)) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))
    ] == []
