"""What `pip install antrian` puts into a user's site-packages: four names, and none that a service has itself."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What the four dependencies of a publisher bring, and what is ours.
LIGHT = {
    "pika", "pydantic", "pydantic_settings", "phonenumbers",
    "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection", "dotenv",
    "antrian", "publisher",
}  # fmt: skip
#: A service that has packages of these names, as many have.
NEIGHBOURS = ("broker", "history", "channels", "sandbox", "domain")

HEAVY = {*packages_distributions(), "admin_api", "consumer"} - LIGHT - set(NEIGHBOURS)

SERVICE = f"""
import sys

class OnlyTheLight:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ImportError(name + " is not among the dependencies of a publisher")

sys.meta_path.insert(0, OnlyTheLight())

import broker, history, channels, sandbox, domain
import publisher, antrian
assert publisher.__file__.startswith(sys.argv[1]), publisher.__file__
assert antrian.Publisher is publisher.Publisher
from publisher import MessageRequest
with publisher.Publisher(source="registration") as connected:
    connected._compose(MessageRequest(phone_number="081234567890", message="Halo"))
print(*(module.OWNER for module in (broker, history, channels, sandbox, domain)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    build = [
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
        "--wheel-dir",
        str(folder),
        str(tree),
    ]
    subprocess.run([sys.executable, "-m", "pip", *build], capture_output=True, timeout=180, check=True)
    [built] = folder.glob("*.whl")
    return built


def test_a_wheel_has_four_names_and_everything_that_belongs_to_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "antrian", "publisher", "consumer", "admin_api",
    }  # fmt: skip
    for part in ("templates", "static", "locale"):
        here = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "admin_api/dashboard" / part).rglob("*")
            if path.is_file()
        }
        assert here <= set(names)
    skeleton = {path.relative_to(ROOT).as_posix() for path in (ROOT / "antrian/providers/skeleton").glob("*.template")}
    assert skeleton
    assert skeleton <= set(names)


def test_a_publisher_works_beside_packages_of_common_names_and_with_its_four_libraries(
    wheel: Path, tmp_path: Path
) -> None:
    installed, own = tmp_path / "installed", tmp_path / "service"
    zipfile.ZipFile(wheel).extractall(installed)
    for name in NEIGHBOURS:
        (own / name).mkdir(parents=True)
        (own / name / "__init__.py").write_text('OWNER = "service"\n')
    done = subprocess.run(
        [sys.executable, "-P", "-c", SERVICE, str(installed)],
        env={
            "AMQP_URL": "amqp://127.0.0.1:1/",
            "PYTHONWARNINGS": "error",
            "PYTHONPATH": os.pathsep.join([str(own), str(installed)]),
        },
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["service"] * len(NEIGHBOURS)


def test_the_heavy_ones_are_there_to_be_missed() -> None:
    assert {"typer", "rich", "requests", "structlog", "psutil"} <= HEAVY
