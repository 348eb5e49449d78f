from service_kit.process.gunicorn import settings

# More threads than the bank may hold (BANK_MAX_CONCURRENT): a slow bank cannot take every thread.
globals().update(settings(5009, workers=1, threads=32))
wsgi_app = "payment_service.app:create_app()"
