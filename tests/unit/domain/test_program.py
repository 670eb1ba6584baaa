"""How commands are called in what people read."""

import sys
from pathlib import Path

from antrian.domain.program import spoken_name

HERE = Path(sys.executable).parent


def test_a_command_that_the_shell_finds_is_called_by_its_name(monkeypatch):
    monkeypatch.setenv("PATH", str(HERE))
    assert spoken_name() == "antrian"


def test_in_a_checkout_it_is_called_by_its_path_from_there(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(HERE.parents[1])
    assert spoken_name() == f"{HERE.parent.name}/bin/antrian"


def test_from_elsewhere_it_is_called_by_its_whole_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert spoken_name() == str(HERE / "antrian")
