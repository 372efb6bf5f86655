"""Custom resources compiled into one frozen policy. No I/O."""
