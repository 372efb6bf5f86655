"""SendingPools: the workload of each, what its status says of it, and how it ends. Pure but for `reconcile`."""
