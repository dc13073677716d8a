"""The inside of a simulated board: files for MicroPython, put first on the path of its unix port.

`machine`, `rp2` and `time` are what a Pico's MicroPython has built in, with the same signatures; a
name that is not here is one no firmware of this project has needed. What begins with an underscore
is theirs. `boot.py` stands for what the board does before it runs `/main.py`.
"""
