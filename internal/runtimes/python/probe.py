# Asked of every interpreter that is found: where are you, what are you made of?
import json
import os
import sys
import sysconfig
from importlib.util import find_spec

OPTIONAL = ["bz2", "ctypes", "lzma", "sqlite3", "ssl", "zlib"]
EXTENSIONS = {"bz2": "_bz2", "ctypes": "_ctypes", "lzma": "_lzma", "sqlite3": "_sqlite3", "ssl": "_ssl"}


def libraries():
    with open("/proc/self/maps") as maps:
        files = {line.split(None, 5)[5].strip() for line in maps if line.count("/")}
    return sorted(f for f in files if ".so" in os.path.basename(f) and "/lib-dynload/" not in f)


def has_pip():
    names = ("site-packages", "dist-packages")
    roots = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    roots += [os.path.join(sys.base_prefix, "lib", d, n) for d in ("python3", "python3.%d" % sys.version_info[1]) for n in names]
    return any(os.path.isdir(os.path.join(r, "pip")) for r in roots)


info = sys.version_info
json.dump({
    "Path": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "Version": "%d.%d.%d" % info[:3] + ("" if info[3] == "final" else info[3]),
    "Minor": info[1] if info[0] == 3 else 0,
    "Micro": info[2],
    "Final": info[3] == "final",
    "Prefix": os.path.realpath(sys.base_prefix),
    "Stdlib": os.path.realpath(sysconfig.get_path("stdlib")),
    "Platlib": os.path.realpath(sysconfig.get_path("platstdlib")),
    "Libraries": libraries(),
    "Missing": [m for m in OPTIONAL if find_spec(EXTENSIONS.get(m, m)) is None],
    "Pip": has_pip(),
}, sys.stdout)
