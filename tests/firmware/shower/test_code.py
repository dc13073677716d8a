"""firmware/shower/code.py: six digits, and five tries."""

from firmware.shower.code import CodeEntry


def test_six_digits_are_complete_and_a_seventh_is_ignored() -> None:
    code = CodeEntry()
    for digit in "0123456":
        assert code.is_complete == (digit == "6")
        code.press(digit)
    assert code.digits == b"012345"
    code.clear()
    assert (code.digits, code.is_complete) == (b"", False)


def test_the_fifth_wrong_code_since_the_last_right_one_counts() -> None:
    code = CodeEntry()
    assert [code.note_wrong() for _ in range(6)] == [False, False, False, False, True, False]
    code.note_right()
    assert [code.note_wrong() for _ in range(5)] == [False, False, False, False, True]
