"""Small things that every function of the shop needs."""

from dateutil import parser


def day(text):
    """The date that a customer wrote, in any of the usual forms."""
    return parser.parse(text).date()


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"
