"""The fuzz targets on their seeds and on inputs made of them: always the same ones. `make fuzz` looks further."""

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
NAMES = sorted(path.stem.removeprefix("target_") for path in FUZZ.glob("target_*.py"))
RUNS = 400


def target(name: str) -> Callable[[bytes], None]:
    spec = importlib.util.spec_from_file_location(f"target_{name}", FUZZ / f"target_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.target


def changed(seeds: list[bytes], chance: random.Random) -> bytes:
    """Return a seed with octets changed, cut out, doubled, or taken over from another."""
    octets = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(octets))
        other = chance.choice(seeds)
        start = chance.randint(0, len(other))
        piece = other[start : start + chance.randint(0, 40)]
        odd = chance.choice([b"\r\n", b"\r", b"\n", b"\0", b".", b" ", b"\xff", b"<", b">", b'"', b"\\", b"="])
        length = chance.choice([0, 0, 1, 8])
        octets[at : at + length] = chance.choice([b"", piece, odd, bytes([chance.randrange(256)])])
    return bytes(octets)


@pytest.mark.parametrize("name", NAMES)
def test_a_target_holds_on_its_seeds_and_on_what_is_made_of_them(name: str) -> None:
    run = target(name)
    seeds = [path.read_bytes() for path in sorted((FUZZ / "seeds" / name).iterdir())]
    chance = random.Random(name)
    for octets in [b"", *seeds, *(changed(seeds, chance) for _ in range(RUNS))]:
        try:
            run(octets)
        except Exception as fault:
            raise AssertionError(f"{name} on {octets!r}") from fault
