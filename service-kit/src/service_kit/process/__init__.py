"""The process: configuration, logs, gunicorn, command lines."""
