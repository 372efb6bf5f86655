"""The paquebot command."""
