"""One file a part. A driver is handed its pins and buses by the board, knows no board, and never blocks without a bound."""
