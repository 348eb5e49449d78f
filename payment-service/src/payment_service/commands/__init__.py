"""Write side: one use case per file."""
