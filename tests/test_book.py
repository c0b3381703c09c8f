"""The net around the notebooks holds."""

from book import BOOK, undetected


def test_every_alteration_of_a_notebook_is_found():
    """For the other notebooks: `uv run python tests/book.py alter`."""
    assert list(undetected(BOOK / "03_by_hand.ipynb")) == []
