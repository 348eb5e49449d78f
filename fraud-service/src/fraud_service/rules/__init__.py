"""The rules, each a small pure object, and the table of their order."""
