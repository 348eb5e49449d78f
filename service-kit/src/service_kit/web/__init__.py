"""HTTP: the application, its descriptions, problems, clients."""
