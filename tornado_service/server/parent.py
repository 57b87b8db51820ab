"""Who launched this process, before there was time for them to go away."""

import os

#: The id of the process that launched us. The command imports this first.
PARENT = os.getppid()
