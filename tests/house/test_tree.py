"""What must not stand in the repository, and what must."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Assembled, so that this file does not find itself.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "deb." + "debian.org"]
FORBIDDEN = re.compile("|".join(map(re.escape, HOSTS)) + r"|/ro" + r"ot/|/ho" + r"me/\w|TO" + r"DO(?!.*#\d)|FIX" + "ME")
MONEY_FLOAT = re.compile(r"_fen\s*[:=]\s*float|float\([^)]*_fen|_fen\s*/\s*[\w(]")
MAX_LINES = 400


def tracked() -> list[Path]:
    """Every file that git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.split("\n") if name and (path := ROOT / name).is_file()]


def test_no_registry_host_machine_path_or_loose_note() -> None:
    hits: list[str] = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        hits += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()[:100]}" for n, line in enumerate(text.splitlines(), 1) if FORBIDDEN.search(line)
        ]
    assert not hits, "\n".join(hits)


def test_no_float_for_money() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{n}: {line.strip()}"
        for path in tracked()
        if path.suffix == ".py" and path.parts[len(ROOT.parts)] in {"protocol", "firmware", "host", "sim"}
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MONEY_FLOAT.search(line)
    ]
    assert not hits, "money is int fen:\n" + "\n".join(hits)


def test_a_file_is_one_idea() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in tracked()
        if path.suffix == ".py" and (count := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES
    ]
    assert not long, f"more than {MAX_LINES} lines:\n" + "\n".join(long)


def test_tests_mirror_the_source_without_packages() -> None:
    shadows = [str(path.relative_to(ROOT)) for path in tracked() if path.name == "__init__.py" and "tests" in path.parts]
    assert not shadows, f"an __init__.py under tests/ shadows host, protocol, ...: {shadows}"
