"""What mail is: messages, envelopes, deliveries, outcomes. Values and pure functions only."""
