"""A replica in a process of its own: writes whether it leads, again and again.

Arguments: the database's URL.
"""

import asyncio
import logging
import sys
from itertools import count

from tests.support.replicas import SERVICE
from tornado_service.streaming.replica_setup import make_replicas


async def main(url: str) -> None:
    replicas = make_replicas(url, SERVICE, logging.getLogger("TornadoService"))
    replicas.start(lambda tokens: None, 100)
    leadership = replicas.leadership("activity")
    channel = replicas.channel("activity", "samples", 10_000)
    leadership.activate(asyncio.get_running_loop())
    for number in count():
        print(f"{leadership.is_leader} {leadership.term} {number}", flush=True)
        if leadership.is_leader:
            channel.send({"number": number, "term": leadership.term})
        await asyncio.sleep(0.02)


asyncio.run(main(sys.argv[1]))
