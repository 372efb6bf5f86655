"""The door to JetStream: the durable queue, its ownership, events and key-value buckets."""
