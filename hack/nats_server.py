"""Prints the path of a fit nats-server; finds, builds or fetches it first."""

import sys

from paquebot.queue.server import NoServerError, find_nats_server

try:
    print(find_nats_server())
except NoServerError as error:
    sys.exit(str(error))
