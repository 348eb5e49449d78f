"""Every sentence of the pages, once per language under the same keys."""
