"""Being a process: settings, logs, admin port, TLS, gRPC, draining."""
