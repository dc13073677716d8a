"""What a linker does, for the firmware's Python: it sees all files of a program, where MicroPython's compiler sees one.

`folding` puts the values of constants in place of their names, across files; `pruning` leaves out what the program never
names. Both save heap on the board and change nothing else; lines keep their numbers.
"""
