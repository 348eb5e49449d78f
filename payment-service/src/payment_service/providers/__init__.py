"""The port to banks and payment providers, and its adapters."""
