"""Random sequences of every operation, compared with a model that knows no database."""
