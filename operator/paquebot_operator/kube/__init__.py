"""The door to Kubernetes: nothing else of the operator knows its clients."""
