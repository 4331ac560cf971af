"""Where the real packages are: the scripts that compare with them call require() first."""
import importlib.util
import os
import pathlib
import sys

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"


def require(*names):
    """Goes on when all of them can be imported; else starts the script again in a virtual environment of `./run oracle` or
    `./run peers` that has them, or ends it with 77, which CTest takes for skipped."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return
    tried = os.environ.get("CAPSTAN_ORACLE", "").split(":")
    for venv in ("oracle-venv", "peers"):
        python = BUILD / venv / "bin/python"
        if venv not in tried and python.exists():
            os.execve(python, [python, "-B"] + sys.argv, os.environ | {"CAPSTAN_ORACLE": ":".join(tried + [venv])})
    print(f"SKIPPED: without {' and '.join(missing)} (`./run oracle` installs it)")
    sys.exit(77)
