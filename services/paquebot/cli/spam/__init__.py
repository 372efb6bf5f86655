"""`paquebot spam`: what the filter thinks of mail, and how it learns."""
