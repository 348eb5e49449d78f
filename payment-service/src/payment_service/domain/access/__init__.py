"""Who may do what: client secrets, signing keys, access tokens."""
