"""What exists once in the process and is given its application by ``create_app``."""

from service_kit.db.database import Database

db = Database()
