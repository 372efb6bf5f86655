"""`paquebot demo`: real mail through all services to a small internet on loopback, and its account."""
