"""Takes mail from authenticated clients and answers 250 once it is kept."""
