"""Reads what Prometheus would read, and asks promtool about it."""

import subprocess
from collections.abc import Mapping

import requests
from prometheus_client.parser import text_string_to_metric_families


class Exposition:
    """One answer to a scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    @classmethod
    def of(cls, url: str) -> "Exposition":
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/plain")
        return cls(answer.text)

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name that have these labels; 0 for none."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= dict(sample.labels).items()
        )

    def names(self) -> set[str]:
        """Metric names as the contract spells them: counters with `_total`."""
        return {
            f"{family.name}_total" if family.type == "counter" else family.name for family in self.families.values()
        }

    def labels(self) -> Mapping[str, set[tuple[str, str]]]:
        """Label values by metric, without those of buckets."""
        return {
            name: {pair for sample in family.samples for pair in sample.labels.items() if pair[0] != "le"}
            for name, family in self.families.items()
        }


def promtool_complaints(text: str) -> str:
    """What `promtool check metrics` says; a machine without it fails the test."""
    try:
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
    except FileNotFoundError as error:
        raise AssertionError("promtool is missing: apt-get install prometheus") from error
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")
