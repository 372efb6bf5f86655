"""Run one fuzz target under atheris: fuzz/run.py TARGET SECONDS. What is found stays in .fuzz/TARGET."""

import importlib.util
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent


def main() -> None:
    """Load the target with its coverage counted, then let libFuzzer go on from the seeds and what it found before."""
    name, seconds = sys.argv[1], sys.argv[2]
    path = HERE / f"target_{name}.py"
    if not path.is_file():
        known = sorted(each.stem.removeprefix("target_") for each in HERE.glob("target_*.py"))
        sys.exit(f"there is no target {name}: there are {', '.join(known)}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with atheris.instrument_imports(include=["paquebot"]):
        spec.loader.exec_module(module)
    found = HERE.parent / ".fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={found}/crash-"]
    atheris.Setup([sys.argv[0], *limits, str(found), str(HERE / "seeds" / name)], module.target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
