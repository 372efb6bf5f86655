"""The operator: custom resources become policy, streams, workloads, keys and conditions."""
