"""Activity that samples the hub more often than administrators may set."""

from traitlets import Integer

from tornado_service.activity import Activity


class FrequentActivity(Activity):
    __module__ = Activity.__module__  # where its templates are

    interval = Integer(2).tag(config=True)
