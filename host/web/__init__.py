"""The pages and the interface of the host over HTTP. One idea a file; `app.py` puts them together."""
