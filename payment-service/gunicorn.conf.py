from payment_service.config import WEB_THREADS
from service_kit.process.gunicorn import settings

globals().update(settings(5009, workers=1, threads=WEB_THREADS))
wsgi_app = "payment_service.app:create_app()"
