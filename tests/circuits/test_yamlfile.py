"""Safe YAML with places."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.errors import Location
from counterstream.circuits.yamlfile import Document, path_text, read, read_file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.0E+2", 100.0),
        (".5", 0.5),
        ("-7", -7),
        ("1_000", 1000),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("0x10", "0x10"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("2001-01-01", "2001-01-01"),
        ("1:30", "1:30"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("９", "９"),
        ("=", "="),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    found = read(f"x: {text}").data["x"]
    assert found == value
    assert type(found) is type(value)


def test_every_key_and_item_has_its_place() -> None:
    document = read("a:\n  b: [1, {c: 2}]\n", "f.yaml")
    assert document.location(("a",)) == Location("f.yaml", 1, 1)
    assert document.location(("a", "b")) == Location("f.yaml", 2, 3)
    assert document.location(("a", "b", 0)) == Location("f.yaml", 2, 7)
    assert document.location(("a", "b", 1, "c")) == Location("f.yaml", 2, 11)
    assert document.location(("a", "b", 9, "none")) == Location("f.yaml", 2, 3)  # the nearest thing above


def test_characters_of_a_text_are_counted_from_its_first() -> None:
    document = read("a: plain\nb: 'quoted'\nc: \"esc\\taped\"\nd: >-\n  folded\n")
    assert document.text_location(("a",)) == Location("", 1, 4)
    assert document.text_location(("b",)) == Location("", 2, 5)
    assert document.text_location(("c",)) is None
    assert document.text_location(("d",)) is None


def test_aliases_stand_for_what_they_name() -> None:
    assert read("a: &x {b: 1}\nc: [*x, *x]\n").data == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


def test_derived_documents_name_the_place_that_was_written() -> None:
    source = read("blocks:\n  b: {k: 1}\n", "f.yaml")
    derived = Document({"p": {"k": 1}}, "f.yaml", origins={("p",): (source, ("blocks", "b"))})
    again = Document({"q": {"k": 1}}, origins={("q",): (derived, ("p",))})
    assert str(again.problem("is wrong", ("q", "k"))) == "f.yaml:2:7: blocks.b.k: is wrong"
    assert derived.location(("elsewhere",)) == Location("f.yaml")
    assert str(source.at("blocks", "b").problem("is wrong", ("k",))) == "f.yaml:2:7: blocks.b.k: is wrong"


def test_paths_as_text() -> None:
    assert path_text(("projections", 2, "wiring")) == "projections[2].wiring"


def test_all_duplicate_keys_are_named_at_once() -> None:
    with pytest.raises(cs.CircuitError) as caught:
        read("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert [p.path for p in caught.value.problems] == ["a", "b.c"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "missing.yaml", "No such file"),
        (lambda folder: folder, "no regular file"),
        (lambda folder: Path("/dev/zero"), "no regular file"),
        (lambda folder: os.mkfifo(folder / "pipe.yaml") or folder / "pipe.yaml", "no regular file"),
        (lambda folder: (folder / "loop.yaml").symlink_to("loop.yaml") or folder / "loop.yaml", "symbolic links"),
        (lambda folder: folder / "null\0.yaml", "null"),
        (lambda folder: folder / ("long" * 100), "name too long"),
        (lambda folder: folder / "a.yaml" / "b.yaml", "No such file"),
    ],
)
def test_unreadable_files(tmp_path: Path, make: object, says: str) -> None:
    with pytest.raises(cs.CircuitError, match=says):
        read_file(make(tmp_path))  # type: ignore[operator]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_leave(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch(mode=0)
    with pytest.raises(cs.CircuitError, match="Permission denied"):
        read_file(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a: 1".encode("utf-16"), "1:1: a file must be UTF-8 text (got UTF-16: save it as UTF-8)"),
        (
            "a: 1\nname: caf\xe9 x".encode("latin-1"),
            "2:10: a file must be UTF-8 text (got the byte 0xE9, invalid continuation byte: save it as UTF-8)",
        ),
        (b"\xff", "1:1: a file must be UTF-8 text (got the byte 0xFF, invalid start byte: save it as UTF-8)"),
        (b"a: \xc3", "1:4: a file must be UTF-8 text (got the byte 0xC3, unexpected end of data: save it as UTF-8)"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(cs.CircuitError) as caught:
        read_file(path)
    assert str(caught.value) == f"{path}:{says}"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("name: é\n".encode("utf-8-sig"))
    document = read_file(tmp_path / "a.yaml")
    assert document.data == {"name": "é"}
    assert document.location(("name",)).column == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: \0", "<circuit>:2:4: a file must hold no control characters (got U+0000)"),
        ("a: \x1b[31m", "<circuit>:1:4: a file must hold no control characters (got U+001B)"),
        ("a: \ud800", "<circuit>:1:4: a file must hold no control characters (got U+D800)"),
        (
            "a: é\u2066",
            "<circuit>:1:5: a file must hold no marks that make text read in another order "
            "(got U+2066 LEFT-TO-RIGHT ISOLATE)",
        ),
    ],
)
def test_characters_that_no_file_may_hold(text: str, says: str) -> None:
    with pytest.raises(cs.CircuitError) as caught:
        read(text)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    "content", [b"a: 1\n" * 2_000_000, b"\xc3\xa9" * 5_000_000, b"[" * 10_000_000, b"\xff" * 10**7]
)
def test_ten_megabytes_are_refused_at_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    began = time.process_time()
    with pytest.raises(cs.CircuitError, match=r"at most 1500000 characters|must be UTF-8"):
        read_file(tmp_path / "a.yaml")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "1," * 200_000 + "]",
        "".join(f"k{number}: 1\n" for number in range(120_000)),
        "populations:\n" + "".join(f"  k{number}: {{transfe: relu}}\n" for number in range(40_000)),
    ],
    ids=["values", "keys", "problems"],
)
def test_the_largest_files_are_answered_soon(text: str) -> None:
    began = time.process_time()
    with pytest.raises(cs.CircuitError) as caught:
        cs.loads(text)
    assert time.process_time() - began < 8  # 2 s on a quiet machine
    assert len(str(caught.value).splitlines()) <= 101


def test_a_file_beyond_measure() -> None:
    with pytest.raises(cs.CircuitError, match="at most 1500000 characters"):
        read(" " * 1_500_001)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(cs.CircuitError):  # anything else escapes
        assert isinstance(read(text, "f").location(()), Location)
