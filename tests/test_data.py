"""Text to batches, and texts that are not what they should be."""

import numpy as np
import pytest

from gluon_rnn import (
    TokenBatches,
    copied_share,
    encode,
    read_text,
    split_documents,
    split_unseen,
    vocabulary,
)

DOCUMENTS = [f"document {k}: {'abc' * k}\n" for k in range(20)]


def test_documents_are_split_whole():
    parts = split_documents(DOCUMENTS, validation=0.1, test=0.2, seed=3)
    assert [len(p) for p in parts] == [14, 2, 4]
    assert sorted(text for part in parts for text in part) == sorted(DOCUMENTS)
    assert parts == split_documents(DOCUMENTS, validation=0.1, test=0.2, seed=3)
    assert parts != split_documents(DOCUMENTS, validation=0.1, test=0.2, seed=4)
    assert [len(p) for p in split_documents(DOCUMENTS[:3], 0.01, 0.01)] == [1, 1, 1]
    assert [len(p) for p in split_documents(DOCUMENTS[:3], 0, 0)] == [3, 0, 0]
    assert split_documents(DOCUMENTS) == split_documents(DOCUMENTS, 0.1, 0.1, seed=0)


PAGES = [f"page {k}\n\nshared by all\n\nown {'xyz' * k} words" for k in range(20)]


def test_what_was_read_is_struck_from_what_is_held_out():
    whole, (train, validation, test) = (
        split_documents(PAGES, 0.2, 0.2),
        split_unseen(PAGES, 0.2, 0.2),
    )
    assert train == whole[0]
    for kept, part in zip((validation, test), whole[1:], strict=True):
        assert kept == [text.replace("\n\nshared by all", "") for text in part]
        assert copied_share(kept, train, 13) < copied_share(part, train, 13)


def test_a_copy_is_found_whatever_its_spaces_and_in_validation_too():
    copies = ["of  all", "of\nall", " of all"]
    documents = [f"own{k}\n\n{copies[k % 3]}\n \npair{k // 2}" for k in range(12)]
    for seed in range(5):
        parts = split_unseen(documents, 0.3, 0.3, seed)
        words = [set(" ".join(part).split()) for part in parts]
        assert words[0] >= {"of", "all"}
        assert not words[0] & words[1]
        assert not (words[0] | words[1]) & words[2]
        assert sum(word.startswith("own") for part in words for word in part) == 12


def test_a_document_of_copies_goes_and_a_part_may_be_empty_that_has_no_share():
    copies = [f"read\n\n{'own' if k % 3 else 'read'} {k if k % 3 else ''}" for k in range(12)]
    parts = split_documents(copies, 0, 0.5), split_unseen(copies, 0, 0.5)
    assert parts[0][1] == parts[1][1] == []
    assert parts[1][2] == [text.split("\n\n")[1] for text in parts[0][2] if "own" in text]
    assert len(parts[1][2]) < len(parts[0][2])
    assert split_unseen(PAGES) == split_unseen(PAGES, 0.1, 0.1, seed=0)


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        (
            ["only\n\none"],
            ValueError,
            "documents: expected at least 3 for these shares, received 1",
        ),
        (["a", "b", "c"], ValueError, "documents: expected paragraphs, with blank lines between"),
        (["a\n\nb"] * 5, ValueError, "validation: expected text that the other parts do not hold"),
        (["a\n\nb"] * 4 + ["c\n\nd"], ValueError, "expected text that the other parts do not hold"),
        ("a\n\nb\n\nc", TypeError, "documents: expected a list of texts, received one text"),
    ],
)
def test_documents_that_cannot_be_split_honestly(documents, error, message):
    with pytest.raises(error, match=message):
        split_unseen(documents)


def test_the_copied_share_counts_windows():
    assert copied_share(["abcdef"], ["xbcdx"], 3) == 0.25  # bcd, of abc bcd cde def
    assert copied_share(["abc", "x"], ["abc"], 3) == 1
    assert copied_share(["cdx", "bxb"], ["a long line x, bcdx"], 3) == 0.5
    with pytest.raises(ValueError, match="texts: expected at least one of 50 characters"):
        copied_share(["short"], ["short"])


def test_characters_round_trip():
    text = "Naïve 循环 network,\n\ttwice."
    vocab = vocabulary([text])
    tokens = encode(text, vocab)
    assert "".join(vocab.to_tokens(tokens.tolist())) == text
    assert len(vocab) == len(set(text)) + 1  # one for all others
    assert vocab.to_tokens(encode("xylophone", vocab).tolist())[0] == vocab.unknown_token


def test_the_most_frequent_character_comes_first():
    vocab = vocabulary(["abbccc"])
    assert encode("cba", vocab).tolist() == [1, 2, 3]
    assert encode("cba", vocab).dtype == "int32"


def test_a_character_outside_a_closed_vocabulary_is_named():
    closed = vocabulary(["ab\n"], unknown=False)
    assert encode("ab", closed).shape == (2,)
    with pytest.raises(ValueError, match="symbols of the vocabulary, received 'z' in line 2"):
        encode("ab\nzb", closed)
    with pytest.raises(ValueError, match="received 'z' at 1"):
        encode(["a", "z"], closed)


def test_batches_are_the_tokens_in_order_and_labels_one_step_ahead():
    batches = [
        (x.asnumpy().tolist(), y.asnumpy().tolist()) for x, y in TokenBatches(range(13), 2, 3)
    ]
    assert batches == [
        ([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]]),
        ([[3, 4, 5], [9, 10, 11]], [[4, 5, 6], [10, 11, 12]]),
    ]


@pytest.mark.parametrize("count", [7, 8, 12, 50, 97])
def test_every_label_is_the_next_input(count):
    batches = TokenBatches(np.arange(count), 2, 3)
    rows = [[], []]
    for x, y in batches:
        assert (y.asnumpy() == x.asnumpy() + 1).all()
        assert x.dtype == y.dtype == np.int32  # float32 has no index above 16 777 216
        for n in range(2):
            rows[n] += x.asnumpy()[n].tolist()
    for row in rows:  # a state carried along a row sees one unbroken text
        assert np.diff(row).tolist() == [1] * (len(row) - 1)
    assert len(list(batches)) == len(batches) == ((count - 1) // 2) // 3
    assert len(list(batches)) == len(batches)  # and again


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending(tmp_path, ending):
    file = tmp_path / "text.txt"
    file.write_bytes(ending.join(["one", "two", ""]).encode())
    assert read_text(file) == "one\ntwo\n"


def test_chinese_and_a_byte_order_mark(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("循环神经网络", encoding="utf-8-sig")
    assert read_text(file) == "循环神经网络"
    tokens = encode(read_text(file), vocabulary([read_text(file)]))
    assert len(next(iter(TokenBatches(tokens, 1, 5)))) == 2


FAULTS = [
    (b"", "text.txt: expected a text, received an empty file"),
    (b"\n  \n", "text.txt: expected a text, received an empty file"),
    (
        "é".encode("latin-1"),
        "text.txt: expected UTF-8 text, received byte 0xe9 at offset 0, line 1",
    ),
    (b"one\ntwo \xff", "received byte 0xff at offset 8, line 2"),
    (b"\n\xff\n", "received byte 0xff at offset 1, line 2"),
]


@pytest.mark.parametrize(("content", "words"), FAULTS)
def test_a_file_that_is_no_text(tmp_path, content, words):
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        read_text(file)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: TokenBatches(range(12), 3, 4),
            "at least 13 for one batch of 3 × 4 .* received 12",
        ),
        (lambda: TokenBatches([], 3, 4), "tokens: .* received 0"),
        (lambda: TokenBatches([[1, 2]], 1, 1), r"tokens: expected one axis \(T,\)"),
        (
            lambda: TokenBatches([0, 1.0, 0.9, 2], 1, 2),
            r"tokens: .* whole numbers, received \[0.9\]",
        ),
        (lambda: TokenBatches([0, float("nan"), 1], 1, 1), r"whole numbers, received \[nan\]"),
        (lambda: TokenBatches(range(9), 0, 1), "batch_size: expected at least 1, received 0"),
        (lambda: TokenBatches(range(9), 1, -1), "length: expected at least 1, received -1"),
        (lambda: vocabulary([]), "documents: expected at least one character"),
        (lambda: vocabulary([""]), "documents: expected at least one character"),
        (lambda: split_documents(["a", "b"]), "documents: expected at least 3 .* received 2"),
        (lambda: split_documents(DOCUMENTS, 1.0), "validation: expected a share"),
        (lambda: split_documents(DOCUMENTS, test=-0.1), "test: expected a share"),
    ],
)
def test_what_cannot_be_batched(make, words):
    with pytest.raises(ValueError, match=words):
        make()
