"""Amounts as Kubernetes reads them."""

from decimal import Decimal

import pytest

from generator.kubernetes_base.quantity import parse_quantity, right_form


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("1", 1),
        (2, 2),
        (0.5, "0.5"),
        ("1Ki", 1024),
        ("2Gi", 2 * 2**30),
        ("1e3", 1000),
        ("1.5G", 15 * 10**8),
    ],
)
def test_quantities(text, number):
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1GiB", "1 Gi", "Gi", "-1", "one", True, None, [], "1e999", "9" * 50, "1KiB"])
def test_what_is_none(text):
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [("512MiB", "512Mi"), ("1GB", "1G"), ("1 Gi", None), ("2cores", "2"), ("64KB", "64k"), ("lots", None)],
)
def test_how_it_would_be_written(text, form):
    assert right_form(text) == form
