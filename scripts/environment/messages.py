# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds Python's side of interface packages, run by the environment's own Python.

colcon and CMake take a minute to build every language and middleware of rosidl. A Python node on
Fast DDS needs the C structures, their Fast DDS serialisation and the conversion to Python: a
quarter of it, which fits in one shared library for each package.
usage: messages.py PACKAGE_FOLDER…
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rosidl_parser.parser
from rosidl_cli.command.hash.api import generate_type_hashes
from rosidl_cli.command.translate.api import translate
from rosidl_generator_c.cli import GenerateC
from rosidl_generator_py.cli import GeneratePython
from rosidl_typesupport_c.cli import GenerateCTypesupport
from rosidl_typesupport_fastrtps_c.cli import GenerateFastRTPSCTypesupport
from rosidl_typesupport_introspection_c.cli import GenerateIntrospectionCTypesupport

PREFIX = Path(sys.prefix)
SHARE = PREFIX / 'share'
SITE_PACKAGES = Path(sysconfig.get_paths()['purelib'])
COMPILER = os.environ.get('CXX') or next(
    name for name in ('c++', 'g++', 'clang++') if shutil.which(name)
)
IMPLEMENTATIONS = ['rosidl_typesupport_fastrtps_c', 'rosidl_typesupport_introspection_c']
LIBRARIES = ['rosidl_generator_c', 'rosidl_generator_py', 'rosidl_typesupport_c', *IMPLEMENTATIONS]
"""What an interface package's libraries are called; ours are links to a single file."""

# Every generator parses every definition anew, which takes longer than all else it does.
rosidl_parser.parser.parse_idl_string = functools.cache(rosidl_parser.parser.parse_idl_string)


def generate(package: Path, scratch: Path) -> None:
    """Write sources and definitions of an interface package to folders called PART/PACKAGE."""
    name, place = package.name, scratch / 'definitions' / package.name
    files = [
        f'{package}:{path.relative_to(package)}'
        for kind in ('msg', 'srv')
        for path in sorted(package.glob(f'{kind}/*.{kind}'))
    ]
    definitions = translate(
        package_name=name,
        interface_files=files,
        include_paths=[str(SHARE)],
        output_format='idl',
        output_path=place,
    )
    hashes = generate_type_hashes(
        package_name=name,
        interface_files=definitions,
        include_paths=[str(SHARE), str(place)],
        output_path=place,
    )
    more = {'structures': [hashes]}
    for part, generator in {
        'structures': GenerateC('c'),
        'python': GeneratePython('py', typesupport_implementations=['rosidl_typesupport_c']),
        'fastrtps': GenerateFastRTPSCTypesupport('fastrtps_c'),
        'introspection': GenerateIntrospectionCTypesupport('introspection_c'),
        'dispatch': GenerateCTypesupport('c', typesupport_implementations=IMPLEMENTATIONS),
    }.items():
        generator.generate(
            name, definitions, [str(SHARE)], scratch / part / name, *more.get(part, [])
        )


def compile_library(package: Path, scratch: Path) -> Path:
    """Compile all sources of *package* into the module that Python loads; return its file."""
    name = package.name
    suffix = sysconfig.get_config_var('EXT_SUFFIX')
    target = scratch / f'{name}_s__rosidl_typesupport_c{suffix}'
    includes = [
        *(folder for folder in scratch.iterdir() if folder.is_dir()),
        PREFIX / 'include',
        *(PREFIX / 'include').iterdir(),
        sysconfig.get_paths()['include'],
        np.get_include(),
    ]
    # Descriptions use the same static names; all else is compiled in one go.
    descriptions = sorted(scratch.glob(f'*/{name}/*/*/*__description.c'))
    c_sources, cpp_sources = scratch / f'{name}.c', scratch / f'{name}.cpp'
    for sources in (c_sources, cpp_sources):
        found = set(scratch.glob(f'*/{name}/**/*{sources.suffix}')) - set(descriptions)
        sources.write_text(''.join(f'#include "{source}"\n' for source in sorted(found)))
    uses = re.findall(r'<depend>(\w+)</depend>', (package / 'package.xml').read_text())
    needed = [PREFIX / 'lib' / f'lib{used}__{part}.so' for used in uses for part in LIBRARIES]
    run_compiler(
        '-O1', '-w', '-fPIC', '-shared', *(f'-I{folder}' for folder in includes),
        '-x', 'c', c_sources, *descriptions, '-x', 'c++', '-std=c++17', cpp_sources, '-x', 'none',
        *filter(Path.is_file, needed), '-o', target,
        f'-L{PREFIX / "lib"}', '-lrosidl_runtime_c', '-lrosidl_typesupport_c',
        '-lrosidl_typesupport_fastrtps_c', '-lrosidl_typesupport_fastrtps_cpp',
        '-lrosidl_typesupport_introspection_c', '-lrmw', '-lfastcdr',
        '-lrcutils', '-Wl,--allow-shlib-undefined',
    )  # fmt: skip
    return target


def run_compiler(*arguments: object) -> None:
    """Run the compiler; ends this process with its exit status if it fails."""
    status = subprocess.run([COMPILER, *map(str, arguments)], check=False).returncode
    if status:
        raise SystemExit(status)


def install(package: Path, scratch: Path, library: Path) -> None:
    """Put modules and definitions where Python and ROS look for them."""
    name = package.name
    modules = SITE_PACKAGES / name
    shutil.rmtree(modules, ignore_errors=True)
    modules.mkdir()
    (modules / '__init__.py').touch()
    shutil.copy(library, modules)
    for part in LIBRARIES:
        link = PREFIX / 'lib' / f'lib{name}__{part}.so'
        link.unlink(missing_ok=True)
        link.symlink_to(modules / library.name)
    for kind in ('msg', 'srv'):
        if not (package / kind).is_dir():
            continue
        shutil.copytree(
            scratch / 'python' / name / kind, modules / kind, ignore=shutil.ignore_patterns('*.c')
        )
        shutil.copytree(
            scratch / 'definitions' / name / kind, SHARE / name / kind, dirs_exist_ok=True
        )
        shutil.copytree(package / kind, SHARE / name / kind, dirs_exist_ok=True)
    shutil.copy(package / 'package.xml', SHARE / name)
    index = SHARE / 'ament_index' / 'resource_index'
    for resource in ('packages', 'rosidl_interfaces'):
        interfaces = sorted(
            f'{path.parent.name}/{path.name}' for path in (SHARE / name).glob('*/*.[ims][dsr][lgv]')
        )
        content = '\n'.join(interfaces) if resource == 'rosidl_interfaces' else ''
        (index / resource).mkdir(parents=True, exist_ok=True)
        (index / resource / name).write_text(content)


def main(folders: list[str]) -> None:
    """Generate, compile and install the packages; one is compiled while the next is generated."""
    os.environ['AMENT_PREFIX_PATH'] = str(PREFIX)
    packages = [Path(folder) for folder in folders]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        compiling = []
        for package in packages:
            scratch = Path(folder) / package.name
            generate(package, scratch)
            compiling.append(pool.submit(compile_library, package, scratch))
        for package, library in zip(packages, compiling):
            install(package, Path(folder) / package.name, library.result())


if __name__ == '__main__':
    main(sys.argv[1:])
