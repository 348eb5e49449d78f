"""Things that exist once in the process and are given their application by ``create_app``."""

from service_kit.db.database import Database

db = Database()
