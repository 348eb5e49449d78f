"""What the application shares: the database."""

from service_kit.database import Database

db = Database()
