"""localstripe on 127.0.0.1, on a port that the system picks and standard output tells; ends when standard input closes.

localstripe is GPL-3.0: it runs in this process of its own, and nothing of Relight may import this file. Its own start
binds to all interfaces and keeps its objects in a file of a fixed name; here it does neither.
"""

import asyncio
import sys

from aiohttp import web
from localstripe import resources, server

resources.Store.dump_to_disk = lambda self: None  # else two test runs would write each other's objects


async def main() -> None:
    runner = web.AppRunner(server.app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


asyncio.run(main())
