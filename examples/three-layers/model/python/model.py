"""The shop's data model."""

from dataclasses import dataclass
from datetime import date

from utilities import day, money


@dataclass(frozen=True)
class Order:
    number: int
    placed: date
    cents: int

    @classmethod
    def from_event(cls, event):
        return cls(int(event["number"]), day(event["placed"]), int(event["cents"]))

    def describe(self):
        return f"order {self.number} of {self.placed.isoformat()}: {money(self.cents)}"
