"""Rules that several commands share: routing, the issuer's decision, accounts, postings."""
