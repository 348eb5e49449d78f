from service_kit.process.gunicorn import settings

globals().update(settings(5010))
wsgi_app = "fraud_service.app:create_app()"
