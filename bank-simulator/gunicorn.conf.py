from service_kit.gunicorn_settings import settings

# The slow card keeps a thread for 8 s.
globals().update(settings(5012, threads=24))
wsgi_app = "bank_simulator.app:create_app()"
