"""The host: the books, the answers to terminals, the faces for people. One noun a file."""
