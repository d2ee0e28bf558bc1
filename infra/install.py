"""Install the pinned packages into the virtual environment that runs this file.

    .venv/bin/python infra/install.py requirements/development.txt

uv does it in a fraction of pip's time, but does not read pip's configuration: a company's index, proxy or certificate
is handed over here. Where uv cannot install, pip does. Every file is checked against its hash either way.
"""

import ast
import os
import subprocess
import sys

FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
}
LISTS_WITH_COMMAS = {"UV_FIND_LINKS"}


def uv_environment(pip_settings: str, environment: dict[str, str]) -> dict[str, str]:
    """The environment in which uv looks where pip would; ``pip_settings`` is what ``pip config list`` prints.

    What the user set for uv goes first. The hashes make pip's habit of comparing all indexes safe, so uv does the same.
    """
    found: dict[str, str] = {}
    for line in pip_settings.splitlines():
        name, _, value = line.partition("=")
        variable = FROM_PIP.get(name.rpartition(".")[2])
        if variable:
            separator = "," if variable in LISTS_WITH_COMMAS else " "
            found[variable] = separator.join(str(ast.literal_eval(value)).split())
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_LINK_MODE": "copy"} | found | environment


def main(requirements: list[str]) -> int:
    """Install the files; gives the exit code of the installer that came last."""
    files = [argument for file in requirements for argument in ("--requirement", file)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    settings = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        sys.executable,
        "--require-hashes",
        *files,
    ]
    if subprocess.run(uv, env=uv_environment(settings, dict(os.environ)), check=False).returncode == 0:
        return 0
    sys.stderr.write("uv could not install the packages; trying pip, which takes a minute or two.\n")
    return subprocess.run([*pip, "install", "--quiet", "--require-hashes", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
