"""The live page of the simulator: displays, valve and books in the browser, keys and cards back."""
