"""``python -m notification_service`` is the command line."""

from notification_service.cli import main

main(prog_name="notification-service")
