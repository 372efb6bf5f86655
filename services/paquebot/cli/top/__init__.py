"""`paquebot top`: what the platform does now, looked at again and again."""
