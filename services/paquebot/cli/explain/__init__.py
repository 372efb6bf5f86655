"""`paquebot explain`: gathered facts in, sentences out. Only `gather` and `command` touch the world."""
