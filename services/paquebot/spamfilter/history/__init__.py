"""What is remembered of senders: their reputation, their habits, and when an account does not act like itself."""
