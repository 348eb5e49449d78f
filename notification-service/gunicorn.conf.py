"""gunicorn's settings; BIND, WEB_WORKERS and WEB_THREADS change them."""

from service_kit.process.gunicorn import settings

globals().update(settings(5011, threads=8))
wsgi_app = "notification_service.app:create_app()"
