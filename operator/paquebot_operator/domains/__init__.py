"""MailDomains in a cluster: keys made and mounted, records published and looked up, and whose a domain is."""
