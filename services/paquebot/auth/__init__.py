"""Says who a client is and what it may send as."""
