"""SMTPCredentials: a password that only its tenant's Secret holds, its hash for the platform, and its replacement.

The truth about a credential is a Secret of hashes in the platform's namespace. The tenant's own Secret is written and
never read: the operator may not.
"""
