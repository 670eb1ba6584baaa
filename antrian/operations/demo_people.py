"""Five people who register, for the demo and for trying out; their numbers are invented."""

from dataclasses import dataclass

_PEOPLE = ("Ayu", "Budi", "Citra", "Dewi", "Eko")


@dataclass(frozen=True, slots=True)
class Invented:
    """One person, and the message for them; the sandbox accepts the number."""

    name: str
    phone_number: str
    text: str


def registrations() -> list[Invented]:
    """The five."""
    return [
        Invented(
            name, f"+62 812 1000 00{number}", f"Halo {name}, selesaikan pembayaran: https://example.com/bayar/{number}"
        )
        for number, name in enumerate(_PEOPLE, start=11)
    ]
