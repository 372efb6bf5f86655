"""Identities: who needs which certificate, and an authority of our own where no cert-manager is."""
