"""``python -m tornado_service``."""

from tornado_service.app import main

if __name__ == "__main__":
    main()
