"""The app for gunicorn; it makes its tables first."""

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
call_command("migrate", verbosity=0)
