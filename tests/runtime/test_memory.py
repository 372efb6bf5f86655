"""How much memory there is: of cgroups of both versions, of the machine, or as was wished."""

from pathlib import Path

import pytest

from paquebot.runtime.memory import PAGE_BYTES, give_back, keep_large_apart, memory

MIB = 1 << 20


def _machine(root: Path, cgroup: str, files: dict[str, str], own_bytes: int = 150 * MIB) -> Path:
    files |= {
        "proc/self/cgroup": cgroup,
        "proc/meminfo": "MemTotal: 8388608 kB\nMemFree: 1 kB\n",
        "proc/self/statm": f"9999 {own_bytes // PAGE_BYTES} 1 1 0 1 0\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_in_a_container_the_limit_is_at_the_root_and_droppable_pages_do_not_count(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory.max": f"{512 * MIB}\n",
        "sys/fs/cgroup/memory.current": f"{300 * MIB}\n",
        "sys/fs/cgroup/memory.stat": f"anon 5\nfile 7\ninactive_file {100 * MIB}\n",
    }
    found = memory(root=_machine(tmp_path, "0::/\n", files))
    assert (found.limit_bytes, found.used_bytes()) == (512 * MIB, 200 * MIB)


def test_the_tightest_limit_above_us_holds(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/pods/ours/memory.max": "max\n",
        "sys/fs/cgroup/pods/memory.max": f"{256 * MIB}\n",
        "sys/fs/cgroup/pods/memory.current": f"{200 * MIB}\n",
        "sys/fs/cgroup/pods/memory.stat": "inactive_file 0\n",
        "sys/fs/cgroup/memory.max": f"{900 * MIB}\n",
    }
    found = memory(root=_machine(tmp_path, "0::/pods/ours\n", files))
    assert (found.limit_bytes, found.used_bytes()) == (256 * MIB, 200 * MIB)


def test_a_group_that_others_fill_is_not_ours_to_empty(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory.max": f"{512 * MIB}\n",
        "sys/fs/cgroup/memory.current": f"{500 * MIB}\n",
        "sys/fs/cgroup/memory.stat": "inactive_file 0\n",
    }
    found = memory(root=_machine(tmp_path, "0::/\n", files, 80 * MIB))
    assert found.used_bytes() == 80 * MIB


def test_the_first_version_of_cgroups_is_read_too(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{256 * MIB}\n",
        "sys/fs/cgroup/memory/box/memory.usage_in_bytes": f"{90 * MIB}\n",
        "sys/fs/cgroup/memory/box/memory.stat": f"total_inactive_file {30 * MIB}\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    found = memory(root=_machine(tmp_path, "4:memory:/box\n1:cpu,cpuacct:/\n0::/\n", files))
    assert (found.limit_bytes, found.used_bytes()) == (256 * MIB, 60 * MIB)


@pytest.mark.parametrize(("wanted", "limit"), [(0, 1536 * MIB), (100 * MIB, 100 * MIB), (4096 * MIB, 4096 * MIB)])
def test_without_a_limit_it_is_what_is_wished_and_the_process_itself_is_measured(
    tmp_path: Path, wanted: int, limit: int
) -> None:
    found = memory(wanted, _machine(tmp_path, "0::/\n", {"sys/fs/cgroup/memory.max": "max"}))
    assert (found.limit_bytes, found.used_bytes()) == (limit, 150 * MIB)


@pytest.mark.parametrize(("wanted", "limit"), [(100 * MIB, 100 * MIB), (512 * MIB, 512 * MIB), (513 * MIB, 512 * MIB)])
def test_what_is_wished_cannot_be_more_than_the_cgroup_gives(tmp_path: Path, wanted: int, limit: int) -> None:
    files = {"sys/fs/cgroup/memory.max": f"{512 * MIB}"}
    assert memory(wanted, _machine(tmp_path, "0::/\n", files)).limit_bytes == limit


def test_this_very_process_can_be_measured_and_gives_back() -> None:
    keep_large_apart()
    give_back()
    found = memory(64 * MIB)
    assert found.limit_bytes == 64 * MIB
    assert found.used_bytes() > MIB
