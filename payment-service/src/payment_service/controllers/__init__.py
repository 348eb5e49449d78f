"""C: blueprints, one per resource."""
