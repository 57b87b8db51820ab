"""The version, and the URL of the documentation."""

__version__ = "0.1.0"

#: Where the pages of docs/ are published, by path: ``how-to/frames.html``.
DOCS_URL = "https://tornado-service.readthedocs.io/en/latest/"
