"""How full submission is, told to Prometheus: each limit beside what is used of it."""

from paquebot.queue.events import EventWriter
from paquebot.runtime.metrics import tell_limits
from paquebot.submission.shortage import Shortage
from paquebot.submission.smtp_server import SmtpServer


def tell_fullness(server: SmtpServer, shortage: Shortage, events: EventWriter) -> None:
    """Tell it from now on."""
    room, crowd, memory = server.hall.room, server.hall.crowd, shortage.memory
    most = crowd.limits
    tell_limits(
        lambda: {
            "connections": (crowd.total, most.connections_max),
            "connections without a PROXY header": (server.unnamed, most.connections_max),
            "connections of an address": (crowd.busiest_address, most.connections_of_address_max),
            "connections of a credential": (crowd.busiest_principal, most.connections_of_principal_max),
            "content bytes": (room.held_bytes, room.limits.octets_max),
            "messages at once": (room.messages, int(room.at_once)),
            "messages in line": (len(room.line), room.limits.waiting_max),
            "memory bytes": (shortage.used * memory.limit_bytes, memory.limit_bytes),
            **events.fullness(),
        }
    )
