"""What is built is what was measured: compiled for the deployed runtime, cut down no further than our calls need.

Fast: nothing is installed here. The Makefile runs with a stand-in for pip, trimming works on a copy of the data of the
installed botocore.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import MAGIC_NUMBER, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import babel
import botocore
import holidays
import pytest

import catalogues
from benchmark.layer import DEPENDENCIES, ROOT
from benchmark.rounds import LAMBDA
from blueprint import template

RUNTIME = template()["Globals"]["Function"]["Runtime"].removeprefix("python")


def _trim() -> Any:
    """trim.py, which stands beside the Makefile that runs it and in nobody's path."""
    found = spec_from_file_location("trim", DEPENDENCIES / "trim.py")
    assert found and found.loader
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


trim = _trim()
LIGHT = ("jinja2", "messages", "babel", "boto3", "pydantic", "itsdangerous", "holidays", "helpdesks.elements")
"""What the webhook must not load."""

PIP = """#!{python}
import pathlib, runpy, sys
if sys.argv[1:3] != ["-m", "pip"]:
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    place = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
    data = place / "botocore/data"
    data.mkdir(parents=True)
    (data / "endpoints.json").write_text('{{"partitions": []}}')
    (place / "package.py").write_text("ANSWER = 42\\n")
"""


def build(tmp_path: Path, path: str) -> tuple[Path, str]:
    """Run the layer's Makefile for the deployed runtime; gives the layer and what was said."""
    pip = tmp_path / "python-with-pip"
    pip.write_text(PIP.format(python=sys.executable))
    pip.chmod(0o755)
    layer = tmp_path / "layer"
    environment = {"PATH": path, "ARTIFACTS_DIR": str(layer), "PYTHON": str(pip)}
    ended = subprocess.run(
        ["make", "--silent", "-C", str(DEPENDENCIES), "build-DependenciesLayer"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return layer, ended.stdout + ended.stderr


def found_runtime() -> Path | None:
    """The folder of a Python of the deployed version on this machine, be it on the PATH or kept by pyenv."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = [*kept.glob(f"{RUNTIME}.*/bin"), *map(Path, os.environ["PATH"].split(os.pathsep))]
    for folder in known:
        python = folder / f"python{RUNTIME}"
        if (
            python.exists()
            and not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode
        ):
            return folder
    return None


def pins(file: Path) -> dict[str, frozenset[str]]:
    """Package and version to the hashes of the files that may be installed for it."""
    pinned = re.findall(r"^(\S+==[^\s;]+)(.*?)(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL)
    return {package: frozenset(re.findall(r"sha256:\w{64}", rest)) for package, rest in pinned}


@pytest.mark.parametrize("name", ["requirements.txt", "chat.txt"])
def test_a_layer_may_be_installed_from_every_file_the_tools_are_installed_from(name: str) -> None:
    """A list that knew the wheel of one Python alone could neither be deployed nor be run by any other."""
    layer, tools = pins(DEPENDENCIES / name), pins(ROOT / "requirements/development.txt")
    assert layer and all(layer.values())
    assert {package: tools.get(package) for package in layer} == layer


def test_the_makefile_compiles_for_the_runtime_of_the_template() -> None:
    assert f"LAYER_PYTHON ?= {RUNTIME}\n" in (DEPENDENCIES / "Makefile").read_text()


def test_the_layer_ships_compiled_files_of_the_deployed_runtime(tmp_path: Path) -> None:
    folder = found_runtime()
    if folder is None:
        pytest.skip(f"no python{RUNTIME} on this machine: the next test sees what the build says then")
    layer, _ = build(tmp_path, f"{folder}:/usr/bin:/bin")
    tag = f"cpython-{RUNTIME.replace('.', '')}"
    sources = {file.stem for file in layer.rglob("*.py")}
    compiled = {file.name.partition(".")[0]: file for file in layer.rglob(f"*.{tag}.pyc")}
    assert compiled.keys() == sources == {"package"}
    asked = subprocess.run(
        [folder / f"python{RUNTIME}", "-c", "from importlib.util import MAGIC_NUMBER as m; print(m.hex())"],
        capture_output=True,
        text=True,
        check=True,
    )
    head = compiled["package"].read_bytes()[:8]
    assert head[:4].hex() == asked.stdout.strip()
    assert int.from_bytes(head[4:], "little") == 0b01, "Lambda must trust the hash and not read the source"


def test_without_the_runtime_the_build_says_what_that_costs(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("make", "sh", "rm", "env", "echo"):
        where = shutil.which(tool)
        if where:
            (tools / tool).symlink_to(where)
    layer, said = build(tmp_path, str(tools))
    assert not list(layer.rglob("*.pyc"))
    assert f"No python{RUNTIME} here: the layer ships without compiled files" in said


def test_a_local_build_is_compiled_by_the_python_that_runs_it(tmp_path: Path) -> None:
    folder = tmp_path / "layer/python"
    folder.mkdir(parents=True)
    (folder / "package.py").write_text("ANSWER = 42\n")
    mode = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    assert " ".join(mode[:2]) in (DEPENDENCIES / "Makefile").read_text()
    subprocess.run([sys.executable, *mode, str(folder)], check=True)
    (compiled,) = folder.rglob("*.pyc")
    assert compiled.read_bytes()[:4] == MAGIC_NUMBER


def test_the_webhook_loads_nothing_that_it_does_not_need() -> None:
    program = f"import sys, receive_ticket; print([name for name in {LIGHT!r} if name in sys.modules])"
    environment = {**LAMBDA, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "functions")}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_no_lambda_loads_boto3() -> None:
    names = sorted(file.stem for file in (ROOT / "functions").glob("*.py"))
    program = f"import sys, {', '.join(names)}; print('boto3' in sys.modules)"
    environment = {**LAMBDA, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "functions")}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False", "trim.py leaves boto3 out of the layer"


# --- what trim.py leaves ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the installed botocore as far as it matters here, trimmed."""
    packages = tmp_path_factory.mktemp("packages")
    source = Path(botocore.__file__).parent / "data"
    for name in (*trim.OPERATIONS, "scheduler"):
        shutil.copytree(source / name, packages / "botocore/data" / name)
    for file in source.glob("*.json"):
        shutil.copy(file, packages / "botocore/data")
    (packages / "boto3").mkdir()
    shutil.copytree(Path(babel.__file__).parent, packages / "babel", ignore=_other_locales)
    shutil.copytree(Path(holidays.__file__).parent, packages / "holidays")
    trim.trim(packages)
    return packages


def _other_locales(folder: str, names: list[str]) -> list[str]:
    """The thousand locales whose trimming would only take time here."""
    wanted = (
        "root.",
        *(f"{name.partition('_')[0]}{end}" for name in catalogues.names() for end in ("_", ".")),
    )
    return [name for name in names if folder.endswith("locale-data") and not name.startswith(wanted)]


def test_only_the_services_of_our_lambdas_are_left(trimmed: Path) -> None:
    data = trimmed / "botocore/data"
    assert {folder.name for folder in data.iterdir() if folder.is_dir()} == set(trim.OPERATIONS)
    assert not (trimmed / "boto3").exists()
    known = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert {partition["partition"] for partition in known} >= {"aws", "aws-cn", "aws-us-gov"}
    assert {name for partition in known for name in partition["services"]} == trim.ENDPOINTS


def test_what_is_left_makes_the_same_requests(trimmed: Path) -> None:
    """Every operation's request, serialised from the trimmed description and from the whole one."""
    program = """
import json, sys
from botocore.session import Session
session = Session()
if sys.argv[1:]:
    loader = session.get_component("data_loader")
    loader._search_paths[:] = [sys.argv[1]]
said = {}
for service, operations in json.load(sys.stdin).items():
    client = session.create_client(service)
    described = client.meta.service_model
    for name in operations:
        called = described.operation_model(name)
        asked, answered = called.input_shape, called.output_shape
        said[f"{service} {name}"] = [
            client.meta.endpoint_url, called.http, described.metadata, sorted(asked.members),
            sorted(asked.required_members), sorted(answered.members), sorted(e.name for e in called.error_shapes),
            sorted(p.name for p in described.client_context_parameters)]
print(json.dumps(said, sort_keys=True))
"""
    environment = {**LAMBDA, "PATH": os.environ["PATH"]}
    wanted = json.dumps({service: sorted(names) for service, names in trim.OPERATIONS.items()})
    told = [
        subprocess.run(
            [sys.executable, "-c", program, *data],
            env=environment,
            input=wanted,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for data in ([], [str(trimmed / "botocore/data")])
    ]
    assert told[0] == told[1] != ""


def test_what_is_left_of_babel_writes_the_same_dates_and_weighs_little(trimmed: Path) -> None:
    program = """
import sys
from datetime import datetime, timezone
sys.path[:0] = sys.argv[1:]
import babel
from messages.language import languages, negotiate
moment = datetime(2027, 1, 19, 17, 30, tzinfo=timezone.utc)
for tag in (*(known.tag for known in languages()), "en-US", "en-GB", "de-AT", "pt-PT", "zh-TW", "ar-LB", "tlh"):
    known = negotiate(tag, "fr")
    print(tag, known.tag, known.direction, known.own_name)
    print(known.day(moment), known.short_day(moment), known.moment(moment))
print(babel.__file__, file=sys.stderr)
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", program, *before],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "functions")},
            capture_output=True,
            text=True,
            check=True,
        )
        for before in ([], [str(trimmed)])
    ]
    assert told[0].stdout == told[1].stdout
    assert len(told[0].stdout.splitlines()) >= 38
    assert told[1].stderr.startswith(str(trimmed))
    assert not (trimmed / "babel/messages").exists()
    assert sum(file.stat().st_size for file in (trimmed / "babel").rglob("*.dat")) < 1_000_000


def test_the_same_days_are_holidays_and_only_the_countries_asked_for_are_loaded(trimmed: Path) -> None:
    program = """
import sys
sys.path[:0] = sys.argv[1:]
from holidays.utils import country_holidays, list_supported_countries
days = {code: sorted(map(str, country_holidays(code, years=2026))) for code in ("DE", "BR", "SA", "JP", "IL")}
loaded = [name for name in sys.modules if name.startswith("holidays.countries.")]
print(days, sorted(list_supported_countries()), len(loaded) if sys.argv[1:] else 5)
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", program, *folder], capture_output=True, text=True, check=True
        ).stdout
        for folder in ([], [str(trimmed)])
    ]
    assert told[0] == told[1] != ""


def test_every_right_of_the_template_has_its_operation_in_the_layer() -> None:
    """Whoever gives a Lambda the right to a new call finds here that the layer does not know it yet."""
    services = {name: name for name in trim.OPERATIONS} | {"ses": "sesv2"}
    same = {"SendMessage": "SendMessageBatch", "SendRawEmail": "SendEmail"}
    pollers = {
        "ReceiveMessage",
        "DeleteMessage",
        "DescribeStream",
        "GetRecords",
        "GetShardIterator",
        "ListStreams",
    }
    for name, resource in template()["Resources"].items():
        for policy in resource.get("Properties", {}).get("Policies", []):
            for statement in policy["Statement"]:
                for action in statement["Action"]:
                    service, _, operation = action.partition(":")
                    if service in services and operation not in pollers:
                        known = trim.OPERATIONS[services[service]]
                        assert same.get(operation, operation) in known, f"{name} may {action}"
