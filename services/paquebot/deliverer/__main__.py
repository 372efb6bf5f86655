"""`python -m paquebot.deliverer`: a deliverer as a process."""

from paquebot.deliverer.service import Settings, serve
from paquebot.runtime.process import run

run(serve, "deliverer", Settings)
