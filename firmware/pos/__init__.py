"""The canteen till: a keypad for the cashier, a reader for the student. See docs/pos.md."""
