"""What runs on a terminal: `boards`, `drivers`, `terminal`, and the two programs `shower` and `pos`."""
