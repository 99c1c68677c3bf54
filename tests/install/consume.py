# SPDX-License-Identifier: Apache-2.0
"""consume.py WAY SOURCE BUILD CMAKE COMPILER: uses corolith as somebody else's project does, and runs the program it builds.

WAY is `installed` (find_package and pkg-config after an installation into a new folder) or `subdirectory` (add_subdirectory).
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WAY, SOURCE, BUILD, CMAKE, COMPILER = sys.argv[1:]
HERE = pathlib.Path(__file__).resolve().parent


def run(*command, **options):
    print("+", " ".join(map(str, command)), flush=True)
    return subprocess.run([str(c) for c in command], check=True, **options)


def output(*command, **options):
    return run(*command, stdout=subprocess.PIPE, text=True, **options).stdout


def version():
    """What the header says, as 1.2.3."""
    lines = (pathlib.Path(SOURCE) / "include/corolith/core/version.hpp").read_text().splitlines()
    return ".".join(line.split()[2] for line in lines if line.startswith(("#define COROLITH_VERSION_M", "#define COROLITH_VERSION_P")))


def expect_runs(program):
    said = output(program)
    assert said == f"corolith {version()}: hello from a program that uses corolith\n", said


def expect_counts(program):
    """Runs a program with kernels and returns how many instruction sets it can choose from."""
    said = re.fullmatch(r"412138 inside, product 19 22 43 50, measured, (\d) usable\n", output(program))
    assert said, f"{program} said something else"
    return int(said.group(1))


def build(folder, *definitions):
    run(CMAKE, "-S", HERE / WAY, "-B", folder, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={COMPILER}", *definitions)
    run(CMAKE, "--build", folder, "-j", "1")
    expect_runs(folder / "consumer")
    assert expect_counts(folder / "kernels_of_one_set") == 1
    assert expect_counts(folder / "kernels_of_all_sets") >= 1


def definitions(words):
    return {w[2:] for w in words if w.startswith("-D")} - {"FMT_SHARED"}  # which fmt says to CMake only, and for Windows


def with_pkg_config(prefix, folder, built):
    """It says the same as CMake's package, so what was compiled with that can be linked with its libraries."""
    if not shutil.which("pkg-config"):
        print("pkg-config is not there: not tried")
        return
    environment = {"PKG_CONFIG_PATH": f"{prefix}/share/pkgconfig", "PATH": "/usr/bin:/bin"}
    flags, libraries = (output("pkg-config", what, "corolith", env=environment).split() for what in ("--cflags", "--libs"))
    commands = json.loads((built / "compile_commands.json").read_text())
    main, = (c for c in commands if c["file"].endswith("/main.cpp"))
    assert definitions(flags) == definitions(main["command"].split()), (flags, main)
    object_file, = (built / "CMakeFiles/consumer.dir").rglob("main.cpp.o")
    run(COMPILER, HERE / "other.cpp", object_file, *flags, *libraries, "-o", folder / "by_pkg_config")
    expect_runs(folder / "by_pkg_config")


with tempfile.TemporaryDirectory(prefix="corolith-install-") as name:
    temporary = pathlib.Path(name)
    if WAY == "installed":
        prefix = temporary / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", "Unspecified", stdout=subprocess.DEVNULL)
        moved = prefix.rename(temporary / "moved")  # nothing may depend on where it was installed first
        build(temporary / "build", f"-DCMAKE_PREFIX_PATH={moved}", f"-DEXPECTED_VERSION={version()}",
              "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        with_pkg_config(moved, temporary, temporary / "build")
    else:
        build(temporary / "build", f"-DCOROLITH_SOURCE={SOURCE}",
              f"-DCOROLITH_COMPILED={BUILD}/libcorolith_compiled.a;{BUILD}/libcorolith_kernels.a")
