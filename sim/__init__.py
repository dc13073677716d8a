"""The simulator: boards, parts, cards and one clock, around the real firmware on a real MicroPython."""
