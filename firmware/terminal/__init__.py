"""What every terminal shares: journal, link, card watcher, resources, clock, and the loop that joins them to a program."""
