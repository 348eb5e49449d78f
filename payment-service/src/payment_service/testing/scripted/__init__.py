"""What lies outside the service: it plays a script, and enters through ``create_app`` only."""
