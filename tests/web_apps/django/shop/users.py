"""Whom the service has signed in is signed in to Django."""

from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware


class ForwardedUserMiddleware(RemoteUserMiddleware):
    """The name of the user is in this header, which no visitor can set."""

    header = "HTTP_X_FORWARDED_USER"


class HubUserBackend(RemoteUserBackend):
    """Users of the hub that may open the app may edit everything in it."""

    def configure_user(self, request, user, created=True):
        user.is_staff = user.is_superuser = True
        user.save()
        return user
