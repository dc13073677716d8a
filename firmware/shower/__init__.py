"""The shower controller: one stall, one valve, a card slot, a keypad. See docs/shower.md."""
