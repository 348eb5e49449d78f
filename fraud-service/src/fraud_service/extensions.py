"""Objects that the whole service shares; ``create_app`` connects them."""

from service_kit.db.database import Database

db = Database()
