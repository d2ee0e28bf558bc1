"""Telling a customer of a fix costs the same however many there are, and little."""

from benchmark.told import measure

WRITES_AT_MOST = 8
"""The message, its claim, its settling, each with the index; and a share of the walk."""


def test_a_told_customer_costs_no_more_when_there_are_many() -> None:
    few, many = measure(10), measure(40)
    assert (few.mails, many.mails) == (10, 40)
    assert many.write_units / many.people <= min(few.write_units / few.people * 1.1, WRITES_AT_MOST)
    assert many.read_units / many.people <= few.read_units / few.people * 1.1
    assert many.dollars_a_million < 10
