# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer dashboard``: the live web page."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fer_ros.commands.options import add_command, add_pipeline_options, pipeline_config
from fer_ros.errors import ConfigError
from fer_ros.models.card import EmotionModelCard

FIRST_PORT = 8501
TRIED_PORTS = 20
TOKEN_VARIABLE = 'FER_DASHBOARD_TOKEN'


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'dashboard',
        run,
        'Show cameras, emotions, photos, models and reports on a web page.',
        'fer dashboard --port 8501',
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to listen on; any but a loopback one needs a token (default: %(default)s)',
    )
    parser.add_argument(
        '--port',
        type=int,
        help=f'port to listen on (default: {FIRST_PORT}, or the next one that is free)',
    )
    parser.add_argument(
        '--token-file',
        type=Path,
        metavar='FILE',
        help=f'holds what viewers must know; else ${TOKEN_VARIABLE}, else made up where needed',
    )
    parser.add_argument('--token', default='', help=argparse.SUPPRESS)
    parser.add_argument(
        '--reports', type=Path, metavar='FOLDER', help='offer the reports below this folder'
    )
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if find_spec('streamlit') is None:
        raise ConfigError(
            'the dashboard needs Streamlit: run scripts/bootstrap --with dashboard, '
            'or pip install -r requirements/dashboard.txt'
        )
    if options.port is not None and not 0 < options.port < 65536:
        raise ConfigError(f'--port: expected 1 to 65535, got {options.port}')
    if options.reports is not None and not options.reports.is_dir():
        raise ConfigError(f'--reports: {options.reports} is not a folder')
    from fer_ros.dashboard.access import is_loopback
    from fer_ros.dashboard.settings import SETTINGS

    EmotionModelCard.load(options.model)
    port = options.port or _free_port(options.host)
    _check_address(options.host, port)
    token = _token(options)
    if not token and not is_loopback(options.host):
        token = secrets.token_urlsafe(24)
    SETTINGS.pipeline = pipeline_config(options)
    SETTINGS.reports = options.reports
    if options.model.endswith('.json'):
        SETTINGS.models = (Path(options.model),)
    from fer_ros.dashboard.server import serve

    _start_feed()
    query = f'/?token={token}' if token else ''
    # Nobody can open the address that means "all of them".
    host = socket.gethostname() if options.host in ('0.0.0.0', '::') else options.host
    print(f'fer dashboard: http://{host}:{port}{query}', flush=True)
    try:
        serve(options.host, port, token)
    except KeyboardInterrupt:
        pass  # The way to end it.
    finally:
        if SETTINGS.feed is not None:
            SETTINGS.feed.close()
    return 0


def _token(options: argparse.Namespace) -> str:
    """Return the token of the file or the environment, '' for none; ConfigError if it is none."""
    token: str = options.token
    if token:
        print('fer dashboard: --token can be read by everybody on this computer (ps); use '
              f'--token-file or ${TOKEN_VARIABLE}', file=sys.stderr)  # fmt: skip
    elif options.token_file is not None:
        try:
            token = options.token_file.read_text(encoding='utf-8').strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f'--token-file: {options.token_file}: {error}') from error
    token = token or os.environ.get(TOKEN_VARIABLE, '')
    if not re.fullmatch(r'[\w.~-]*', token, re.ASCII) or (not token and options.token_file):
        raise ConfigError('the token: expected letters, digits and - . _ ~ only')
    return token


def _free_port(host: str) -> int:
    """Return the first port from FIRST_PORT on that nobody listens on, saying if it is another."""
    for port in range(FIRST_PORT, FIRST_PORT + TRIED_PORTS):
        try:
            _check_address(host, port)
        except ConfigError:
            continue
        if port != FIRST_PORT:
            print(f'fer dashboard: port {FIRST_PORT} is taken; this is {port}', flush=True)
        return port
    return FIRST_PORT


def _check_address(host: str, port: int) -> None:
    """Raise ConfigError where nobody can listen: the server itself would say it less clearly."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConfigError(
            f'cannot listen on {host}, port {port}: {error.strerror}; '
            'choose others with --host and --port'
        ) from error


def _start_feed() -> None:
    """Join the ROS graph where ROS is installed; photos and clips work without it."""
    from fer_ros.dashboard.settings import SETTINGS

    try:
        from fer_ros.nodes.dashboard_feed import DashboardFeed
    except ModuleNotFoundError as error:
        SETTINGS.no_feed_reason = str(error)
        return
    SETTINGS.feed = DashboardFeed()
