"""`python -m paquebot <service>`: what the image runs. One image, one word that says which service it is."""

import runpy
import sys

EX_USAGE = 64
MODULES = {name: f"paquebot.{name}" for name in ("submission", "auth", "spamfilter", "router", "deliverer")}
MODULES["operator"] = "paquebot_operator"


def main(arguments: list[str]) -> None:
    """Become the service, or say what there is and end with exit code 64."""
    if len(arguments) != 1 or arguments[0] not in MODULES:
        sys.stderr.write(f"usage: python -m paquebot {{{'|'.join(MODULES)}}}\n")
        sys.exit(EX_USAGE)
    runpy.run_module(MODULES[arguments[0]], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
