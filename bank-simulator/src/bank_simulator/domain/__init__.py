"""Rules that several commands share: routing, the issuer's judgement, accounts, postings."""
