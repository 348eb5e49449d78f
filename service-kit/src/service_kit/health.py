"""``/health/live`` asks nobody; ``/health/ready`` asks the service's own database."""

from flask import Flask
from sqlalchemy import text

from service_kit.database import Database


def add_health_routes(app: Flask, db: Database) -> None:
    """Add the two health routes."""

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        with db.reading() as session:
            session.execute(text("SELECT 1"))
        return {"status": "ok"}
