"""What the application shares: the database."""

from service_kit.db.database import Database

db = Database()
