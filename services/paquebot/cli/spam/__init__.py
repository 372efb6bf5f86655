"""`paquebot spam`: what the filter thinks of mail, what people decide about it, and how it learns."""
