# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sets the environment up, step by step; ``scripts/bootstrap`` runs this."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import machine
from errors import SetupError
from packages import Installer, clean_variables, has_uv
from steps import Environment, digest, run

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / 'scripts' / 'environment'
LOCKED = ROOT / 'requirements' / 'locked'
INTERFACES = [ROOT / 'fer_msgs', *sorted((ROOT / 'interfaces').glob('*_msgs'))]


@dataclass(frozen=True)
class Step:
    """Something to be done once, and again when what it depends on changes.

    Attributes:
        name: what the environment's mark calls it.
        digest: of all that it depends on.
        action: does it.
        proof: Python code that fails unless it was done.
    """

    name: str
    digest: str
    action: Callable[[], None]
    proof: str


class Setup:
    """The steps that make one environment."""

    def __init__(self, environment: Environment) -> None:
        """Prepare for *environment*; nothing is done yet."""
        self.environment = environment
        self._installer: Installer | None = None

    @property
    def installer(self) -> Installer:
        """What installs packages; made when it is needed first."""
        if self._installer is None:
            self._installer = Installer(self.environment)
        return self._installer

    def steps(self, extra: str) -> list[Step]:
        """Return all steps in their order, with the packages of *extra* if that is not ''."""
        runtime, photos = LOCKED / 'runtime.txt', LOCKED / 'photos.txt'
        interfaces = sorted(path for folder in INTERFACES for path in folder.rglob('*.*'))
        described = [ROOT / name for name in ('setup.py', 'pyproject.toml', 'package.xml')]
        packages = [
            Step('runtime', digest(runtime), lambda: self.packages('runtime'), PROOFS['runtime'])
        ]
        if extra:
            packages.append(
                Step(extra, digest(LOCKED / f'{extra}.txt'), lambda: self.packages(extra),
                     PROOFS[extra])
            )  # fmt: skip
        return [
            *packages,
            Step('photos', digest(photos), self.photos, ''),
            Step('messages', digest(runtime, HERE / 'messages.py', *interfaces), self.messages,
                 PROOFS['messages']),
            Step('package', digest(HERE / 'foreign_ros.py', *described), self.package,
                 'import fer_ros.cli'),
        ]  # fmt: skip

    def packages(self, name: str) -> None:
        """Install the locked packages *name*."""
        self.installer.install(f'{name} packages', '--require-hashes', '-r', LOCKED / f'{name}.txt')

    def photos(self) -> None:
        """Take the photos out of scikit-image, which with all that it needs has 200 MB."""
        photos = self.environment.folder / 'share' / 'fer_ros' / 'photos'
        photos.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.environment.folder) as folder:
            self.installer.install(
                'the sample photos', '--require-hashes', '--target', folder,
                '-r', LOCKED / 'photos.txt',
            )  # fmt: skip
            for path in Path(folder, 'skimage', 'data').glob('*.[pj][np]g'):
                shutil.copy(path, photos)

    def messages(self) -> None:
        """Build fer_msgs and what the wheels lack."""
        environment = self.environment
        variables = clean_variables() | {'CXX': machine.compiler() or ''}
        failure = run(
            'building the messages', [environment.python, HERE / 'messages.py', *INTERFACES],
            environment.log, variables,
        )  # fmt: skip
        if failure:
            raise SetupError(
                f'building the messages failed: {failure.splitlines()[-1]} (all of it: '
                f'{environment.log}).'
            )

    def package(self) -> None:
        """Install fer_ros itself, so that an edit is live, and what keeps another ROS out."""
        folder, name = self.environment.folder, f'python{self.environment.python_version()}'
        modules = folder / 'lib' / name / 'site-packages'
        shutil.copy(HERE / 'foreign_ros.py', modules / '_fer_ros_foreign_ros.py')
        # Sorted before ros_wheels_bootstrapper.pth, which must find the variables cleaned.
        (modules / 'fer_ros_foreign_ros.pth').write_text('import _fer_ros_foreign_ros\n')
        self.installer.install('fer_ros', '--no-build-isolation', '--editable', ROOT)
        # As colcon's symlinked installation has them, for ROS's own tools.
        share, index = folder / 'share' / 'fer_ros', 'share/ament_index/resource_index/packages'
        links = {share / 'package.xml': ROOT / 'package.xml'}
        # Else `import fer_ros` finds the clone itself, a folder of that name, where it lies beside
        # a user's own program.
        links[modules / 'fer_ros'] = ROOT / 'fer_ros'
        for name in ('launch', 'config', 'rviz'):
            # Each file by itself, for ros2 launch does not look behind a linked folder.
            if (share / name).is_symlink():
                (share / name).unlink()
            shutil.rmtree(share / name, ignore_errors=True)
            files = (path for path in (ROOT / name).rglob('*') if path.is_file())
            links |= {share / path.relative_to(ROOT): path for path in files}
        links[folder / index / 'fer_ros'] = ROOT / 'resource' / 'fer_ros'
        scripts = (folder / 'bin').glob('*_node')
        links |= {folder / 'lib' / 'fer_ros' / script.name: script for script in scripts}
        for link, target in links.items():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)

    def prove(self, step: Step) -> None:
        """Raise SetupError if what *step* was for is not there."""
        result = subprocess.run(
            [self.environment.python, '-c', step.proof], capture_output=True, text=True,
            env=clean_variables(), cwd='/', check=False,
        )  # fmt: skip
        if result.returncode:
            last = (result.stderr.strip() or 'no message').splitlines()[-1]
            raise SetupError(
                f'{step.name}: installed, but not usable: {last}; scripts/bootstrap --repair makes '
                f'the environment anew.'
            )


PROOFS = {
    'runtime': 'import ai_edge_litert.interpreter, cv2, numpy, rclpy, rich, rosbags, yaml',
    'dashboard': 'import streamlit',
    'test': 'import hypothesis, pytest, tensorflow, xdist',
    'messages': (
        'from fer_msgs.msg import EmotionArray as a; from vision_msgs.msg import Detection2D as b; '
        'from hri_msgs.msg import Expression as c; from tf2_msgs.msg import TFMessage as d; '
        '[kind.__class__.__import_type_support__() for kind in (a, b, c, d)]'
    ),
}


def set_up(environment: Environment, extra: str, repair: bool) -> bool:
    """Do what is not done yet; return whether that was anything; raises SetupError."""
    if not repair:
        environment.check()
    setup = Setup(environment)
    steps = setup.steps(extra)

    def left() -> list[Step]:
        state = environment.state()
        return [step for step in steps if state.get(step.name) != step.digest]

    if not left() and not repair:
        return False
    machine.check_platform()
    machine.check_path(environment.folder)
    machine.check_tools(has_uv(environment))
    with environment.locked():
        if repair:
            environment.clear()
        environment.check()
        todo = left()
        if any(step.name in machine.NEEDED_MB for step in todo):
            machine.check_room(environment.folder, extra or 'runtime')
            print(
                f'setting up {environment.folder}: about '
                f'{machine.NEEDED_MB[extra or "runtime"]} MB, one to three minutes', flush=True
            )  # fmt: skip
        environment.make()
        for step in todo:
            step.action()
            setup.prove(step)
            environment.write_state(environment.state() | {step.name: step.digest})
    return bool(todo)


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog='scripts/bootstrap')
    parser.add_argument('--with', dest='extra', default='', choices=('test', 'dashboard'))
    parser.add_argument('--repair', action='store_true', help='make the environment anew')
    parser.add_argument('--run', nargs=argparse.REMAINDER, help='what its Python then runs')
    return parser.parse_args()


def main() -> int:
    """Set up, then become the environment's Python if that is asked for."""
    options = parse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    folder = Path(os.environ.get('FER_VENV') or ROOT / '.venv').expanduser()
    environment = Environment(ROOT, folder.resolve())
    try:
        is_new = set_up(environment, options.extra, options.repair)
    except SetupError as error:
        print(f'fer_ros: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'fer_ros: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nfer_ros: interrupted; the next start goes on from here', file=sys.stderr)
        return 130
    if is_new and not options.run:
        fer = environment.folder / 'bin' / 'fer'
        opens = 'opens the page' if options.extra == 'dashboard' else '--help lists what it does'
        print(f'ready: {fer} {opens}')
    if options.run:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        variables = {
            name: value for name, value in os.environ.items()
            if name != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
        }  # fmt: skip
        os.execve(environment.python, [str(environment.python), *options.run], variables)
    return 0


if __name__ == '__main__':
    sys.exit(main())
