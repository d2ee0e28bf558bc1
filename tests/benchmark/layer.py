"""The layer, built by the project's own Makefile for this machine's Python: what is measured is what is shipped."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = ROOT / "infra/dependencies"
PLACE = Path(os.environ.get("BENCHMARK_HOME", ROOT / ".local/benchmark"))


def built() -> Path:
    """The layer's folder (``python/`` and what else is in it); built once for each state of its sources."""
    return _built("layer", "build-DependenciesLayer", {"LAYER_PLATFORM": "local"})


def chat() -> Path:
    """The second layer, which one Lambda has."""
    return _built("chat", "build-ChatLayer", {"LAYER_PLATFORM": "local"})


def _built(name: str, target: str, variables: dict[str, str]) -> Path:
    seen = hashlib.sha256(sys.version.encode())
    for file in sorted(file for file in DEPENDENCIES.rglob("*") if file.is_file()):
        seen.update(file.name.encode() + file.read_bytes())
    place = PLACE / f"{name}-{seen.hexdigest()[:12]}"
    if not place.exists():
        for old in PLACE.glob(f"{name}-*"):
            shutil.rmtree(old)
        draft = place.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        environment = {**os.environ, **variables, "ARTIFACTS_DIR": str(draft), "PYTHON": sys.executable}
        command = ["make", "--silent", "-C", str(DEPENDENCIES), target]
        subprocess.run(command, env=environment, check=True)
        draft.rename(place)
    return place


def functions() -> Path:
    """A copy of ``functions/``, compiled as `make deploy` does."""
    place = PLACE / "functions"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(
        os.environ.get("BENCHMARK_FUNCTIONS", ROOT / "functions"),
        place,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(place)]
    subprocess.run(command, check=True)
    return place


def naive() -> Path:
    """The naive package: the same pinned libraries as pip leaves them, with everything in them, compiled."""
    place = PLACE / "naive"
    stamp = hashlib.sha256(
        (DEPENDENCIES / "requirements.txt").read_bytes() + sys.version.encode()
    ).hexdigest()
    if not (place / stamp).exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--require-hashes", "--only-binary=:all:", "--no-compile", "--target", str(place)]
        subprocess.run([*command, "--requirement", str(DEPENDENCIES / "requirements.txt")], check=True)
        compiling = [
            sys.executable,
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            str(place),
        ]
        subprocess.run(compiling, check=True)
        (place / stamp).touch()
    return place


def environment(built: Path) -> dict[str, str]:
    """What template.yaml sets for every Lambda besides names: ``/opt`` is where Lambda puts the layer."""
    return {
        name: value.replace("/opt", str(built)) for name, value in _variables().items() if "/opt" in value
    }


def _variables() -> dict[str, str]:
    from blueprint import template

    found: dict[str, str] = template()["Globals"]["Function"]["Environment"]["Variables"]
    return found
