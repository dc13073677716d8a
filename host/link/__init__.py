"""The lines to the terminals: `master.py` decides, `serial.py` moves bytes, `desk.py` asks the books."""
