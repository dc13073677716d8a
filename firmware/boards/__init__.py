"""One file a board: its pins and peripherals. The only folder that imports `machine` and `rp2`."""
