# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluated bag, video or data set, as ``fer evaluate`` wrote it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_ros.dashboard.settings import SETTINGS
from fer_ros.errors import shorten

HEIGHT_PX = 900
MAX_BYTES = 30_000_000
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'"
"""A report is text and pictures: should one hold a script, it does not run."""

HOW = (
    'A report is what `fer evaluate bag my.bag --output report` or `fer evaluate dataset my_faces '
    '--html report` writes. Drop its `.html` here, or start the dashboard with `--reports FOLDER` '
    'to choose from all below that folder.'
)


def show() -> None:
    """Show a report from the folder of reports, or one that is dropped here."""
    found = _find(SETTINGS.reports)
    dropped = st.file_uploader('A report (.html)', type=['html'])
    if dropped is not None:
        _frame(dropped.getvalue().decode('utf-8', 'replace'))
        return
    if not found:
        st.info(HOW, icon=':material/info:')
        return
    name = st.selectbox('Report', list(found))
    page = found[name]
    if page.stat().st_size > MAX_BYTES:
        st.error(f'{name} is larger than {MAX_BYTES // 1_000_000} MB; open it in the browser.')
        return
    _frame(page.read_text(encoding='utf-8', errors='replace'))


def _find(folder: Path | None) -> dict[str, Path]:
    """Return the reports below *folder* by name, newest first; links out of it are no reports."""
    if folder is None:
        return {}
    pages = [page for page in folder.rglob('*.html') if _lies_in(page, folder)]
    pages.sort(key=lambda page: page.stat().st_mtime, reverse=True)
    return {shorten(str(page.relative_to(folder))): page for page in pages}


def _lies_in(file: Path, folder: Path) -> bool:
    """Return whether *file* is one, wherever its links lead to, and lies below *folder*."""
    try:
        return file.resolve().is_relative_to(folder.resolve()) and file.is_file()
    except (OSError, RuntimeError, ValueError):
        return False  # No file can have that name, or its links go round.


def _frame(page: str) -> None:
    st.iframe(
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">{page}', height=HEIGHT_PX
    )
