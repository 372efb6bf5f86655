"""Paquebot: a Kubernetes-native outbound mail platform."""
