"""Logs: one JSON object a line on standard error, with message id and tenant where they are known.

Never give a logger a password, a key or a content; there is nothing here that could take it out again.
"""

import logging
import sys

import structlog


def configure(service: str, pod: str, level: str) -> None:
    """Set the process's logs up. Foreign libraries' warnings come out in the same shape."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _names(service, pod),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    render: list[structlog.types.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=render))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def bind(message_id: str, tenant: str) -> None:
    """Let every line of the running task carry a message's id and tenant, until it is bound to another."""
    structlog.contextvars.bind_contextvars(message_id=message_id, tenant=tenant)


def _names(service: str, pod: str) -> structlog.types.Processor:
    def add(
        _logger: structlog.types.WrappedLogger, _method: str, event: structlog.types.EventDict
    ) -> structlog.types.EventDict:
        event["service"] = service
        event["pod"] = pod
        return event

    return add
