"""How the service was started: by a hub, or by something else."""

import os


def is_launched_by_hub() -> bool:
    """Whether a hub has launched this process: it sets more variables than are needed.

    Only what a hub starts by a spawner, as users' servers and its own services, has this variable:
    https://jupyterhub.readthedocs.io/en/stable/reference/spawners.html
    """
    return "JUPYTERHUB_SERVER_NAME" in os.environ
