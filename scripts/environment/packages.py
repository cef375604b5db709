# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Installs locked packages with uv, from where the user's own settings say."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from errors import SetupError
from steps import Environment, run

# pip's settings that say where packages come from, as uv calls them. All others of pip's and uv's
# (target, user, prefix, constraint…) would put packages elsewhere or others in their place.
UV_NAMES = {
    'index-url': 'UV_DEFAULT_INDEX',
    'extra-index-url': 'UV_INDEX',
    'find-links': 'UV_FIND_LINKS',
    'no-index': 'UV_NO_INDEX',
    'trusted-host': 'UV_INSECURE_HOST',
    'cert': 'SSL_CERT_FILE',
    'proxy': 'HTTPS_PROXY',
    'timeout': 'UV_HTTP_TIMEOUT',
    'default-timeout': 'UV_HTTP_TIMEOUT',
    'cache-dir': '',
    'retries': 'UV_HTTP_RETRIES',
    'client-cert': 'SSL_CLIENT_CERT',
    'keyring-provider': 'UV_KEYRING_PROVIDER',
}
KEPT = re.compile(
    r'UV_(DEFAULT_INDEX|INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CACHE_DIR|NO_CACHE|HTTP_|OFFLINE'
    r'|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|KEYRING_PROVIDER|LINK_MODE|CONCURRENT_)'
)
OLDEST_UV = (0, 6)
UV_FRAME = ' \u00d7\u2570\u2500\u25b6\u251c\u2502\u2514'
UNREACHABLE = (
    'dns error', 'failed to lookup', 'Connection refused', 'timed out', 'tcp connect error',
    'error sending request', 'Network is unreachable', 'NewConnectionError', 'Max retries',
    'ProxyError', 'Name or service not known', 'ConnectTimeoutError', 'name resolution',
)  # fmt: skip


def clean_variables() -> dict[str, str]:
    """Return this process's variables without what leads a Python or an installer astray."""
    foreign = ('VIRTUAL_ENV', 'CONDA_PREFIX', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')
    return {
        name: value
        for name, value in os.environ.items()
        if name not in foreign
        and not name.startswith(('PIP_', 'PYTHON'))
        and (not name.startswith('UV_') or KEPT.match(name))
    } | {'PYTHONNOUSERSITE': '1'}


def has_uv(environment: Environment) -> bool:
    """Return whether uv is on the path or was brought before."""
    return _uv(environment) is not None


def _uv(environment: Environment) -> Path | None:
    own = environment.folder / 'bin' / 'uv'
    if own.is_file():
        return own
    found = shutil.which('uv')
    if found is None:
        return None
    printed = subprocess.run([found, '--version'], capture_output=True, text=True, check=False)
    numbers = re.match(r'uv (\d+)\.(\d+)', printed.stdout)
    is_recent = numbers is not None and tuple(map(int, numbers.groups())) >= OLDEST_UV
    return Path(found) if is_recent else None


def pip_settings() -> dict[str, str]:
    """Return the user's settings of pip that say where packages come from, by uv's names' keys."""
    settings: dict[str, str] = {}
    if importlib.util.find_spec('pip'):
        listing = subprocess.run(
            [sys.executable, '-I', '-m', 'pip', 'config', 'list'],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in listing.stdout.splitlines():
            name, _, value = line.partition('=')
            if not name.startswith(':env:'):
                settings[name.rpartition('.')[2]] = str(ast.literal_eval(value))
    for name, value in os.environ.items():
        if name.startswith('PIP_') and value:
            settings[name.removeprefix('PIP_').lower().replace('_', '-')] = value
    return {name: value for name, value in settings.items() if name in UV_NAMES}


def uv_variables(settings: dict[str, str]) -> dict[str, str]:
    """Return the variables that uv is run with."""
    variables = clean_variables()
    if ssl.get_default_verify_paths().cafile:
        variables.setdefault('UV_NATIVE_TLS', '1')
    # Hashes say which file is meant, so it may come from any of several indexes.
    variables['UV_INDEX_STRATEGY'] = 'unsafe-best-match'
    for name, value in settings.items():
        words = value.split()
        text = ','.join(words) if name == 'find-links' else ' '.join(words)
        if UV_NAMES[name]:
            variables.setdefault(UV_NAMES[name], text)
    cache = Path(
        variables.get('UV_CACHE_DIR')
        or Path(variables.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'uv'
    )
    there = next(place for place in (cache, *cache.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        variables['UV_NO_CACHE'] = '1'
    return variables


class Installer:
    """Installs into one environment."""

    def __init__(self, environment: Environment) -> None:
        """Find uv, or bring it."""
        self.environment = environment
        settings = pip_settings()
        self.variables = uv_variables(settings)
        self.uv = _uv(environment) or self._bring_uv(settings)

    def _bring_uv(self, settings: dict[str, str]) -> Path:
        environment = self.environment
        variables = clean_variables() | {
            f'PIP_{name.upper().replace("-", "_")}': value for name, value in settings.items()
        }
        variables['PIP_CONFIG_FILE'] = os.devnull
        if variables.get('PIP_RETRIES') == '0':
            # Without one, pip says of a registry that is out of reach that it lacks the package.
            variables['PIP_RETRIES'] = '1'
        python = Path(sys.executable)
        if importlib.util.find_spec('pip') is None:
            python = environment.python
            subprocess.run([python, '-I', '-m', 'ensurepip'], check=True, capture_output=True)
        with tempfile.TemporaryDirectory() as folder:
            command = [
                python, '-I', '-m', 'pip', 'install', '--target', folder, '--no-deps', '--no-input',
                '--no-compile', '--disable-pip-version-check', '--require-hashes',
                '-r', environment.root / 'requirements' / 'locked' / 'uv.txt',
            ]  # fmt: skip
            failure = run('fetching uv', command, environment.log, variables)
            if failure:
                raise SetupError(explain('uv', failure, environment))
            return Path(shutil.move(Path(folder) / 'bin' / 'uv', environment.folder / 'bin' / 'uv'))

    def install(self, name: str, *arguments: object) -> None:
        """Install what *arguments* of ``uv pip install`` name; SetupError if that fails."""
        environment = self.environment
        command = [
            self.uv, 'pip', 'install', '--python', environment.python, '--no-deps',
            '--no-progress', *arguments,
        ]  # fmt: skip
        failure = run(f'installing {name}', command, environment.log, self.variables)
        if failure:
            raise SetupError(explain(name, failure, environment))


def explain(name: str, output: str, environment: Environment) -> str:
    """Return one sentence about why an installation failed."""
    log = f'(all of it: {environment.log})'
    lines = [line.strip(UV_FRAME) for line in output.splitlines()]
    full = next((line for line in lines if 'No space left' in line or 'quota' in line.lower()), '')
    if full:
        return f'the disk is full: {full}; make room and run this again {log}.'
    causes = [line for line in lines if line and not line.startswith(('WARNING', 'warning', '--'))]
    first = next(
        (n for n, line in enumerate(causes) if re.match(r'(error|ERROR|Failed|Caused)', line)),
        max(0, len(causes) - 4),
    )
    cause = '; '.join(dict.fromkeys(causes[first : first + 6]))
    if any(sign in output for sign in UNREACHABLE):
        return (
            f'the Python package registry cannot be reached, so {name} could not be installed '
            f'({cause}); check the network or proxy and run this again {log}.'
        )
    return f'installing {name} failed: {cause} {log}.'
