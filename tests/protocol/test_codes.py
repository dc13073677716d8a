"""The table of error codes: complete, and fit for a line of the display."""

from pathlib import Path

from protocol import codes

CONSTANTS = {name: value for name, value in vars(codes).items() if name.isupper() and isinstance(value, int)}


def test_every_code_stands_in_the_table_under_its_name():
    assert {value: name.lower() for name, value in CONSTANTS.items()} == codes.NAMES


def test_codes_run_on_from_1():
    assert sorted(codes.NAMES) == sorted(codes._TEXTS) == list(range(1, len(codes.NAMES) + 1))


def test_every_text_fits_a_line_of_16_columns():
    for code in codes.NAMES:
        for text in codes.texts(code):
            assert 0 < len(text) <= 16  # in GB2312 bytes are columns
            text.decode("gb2312")


def test_a_code_of_a_newer_host_says_that_it_was_refused():
    assert codes.texts(200) == codes.texts(codes.REFUSED)


def test_a_code_is_shown_as_E_and_two_digits():
    assert (codes.label(codes.CARD_UNKNOWN), codes.label(19)) == ("E01", "E19")


def test_the_page_has_the_table_as_the_code_has_it() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/protocol.md").read_text(encoding="utf-8")
    for code, name in codes.NAMES.items():
        assert f"| {codes.label(code)} | {name} |" in page, f"docs/protocol.md does not list {codes.label(code)} {name}"
