"""The access control server's page: one document, in French and English, without script."""
