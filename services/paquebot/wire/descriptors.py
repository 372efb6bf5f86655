"""Names of our gRPC services, for reflection and health."""

from paquebot.wire import auth, deliverer, router, spamfilter, submission

SERVICE_NAMES = tuple(part.SERVICE for part in (auth, deliverer, router, spamfilter, submission))
