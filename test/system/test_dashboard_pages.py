# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard's other pages in a real browser, and who is let in."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.dashboard import (
    Dashboard,
    bars,
    needs_browser,
    problems,
    shades,
    text_of,
    wait_for,
    width_of,
)

from fer_ros.cli import main
from fer_ros.images.demo import DemoSource
from fer_ros.images.video_writer import VideoWriter
from fer_ros.models.card import EmotionModelCard

pytest.importorskip('streamlit', reason='Streamlit is not installed (requirements/dashboard.txt)')
action_chains = pytest.importorskip(
    'selenium.webdriver.common.action_chains', reason='Selenium is not installed'
)


@pytest.fixture(scope='module')
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports beside the recording that one of them is about."""
    folder = tmp_path_factory.mktemp('dashboard')
    reports = folder / 'reports'
    reports.mkdir()
    (reports / 'other.html').write_text(
        '<title>r</title><h1>A bag</h1><script>document.title="ran";'
        'document.querySelector("h1").textContent="script ran"</script>'
    )
    bag = folder / 'demo_bag'
    assert main(['record-demo', str(bag), '--seconds', '4', '--rate', '5']) == 0
    arguments = ['--labels', str(bag / 'labels.csv'), '--output', str(reports / 'bag')]
    assert main(['evaluate', 'bag', str(bag), *arguments]) == 0
    return reports


@pytest.fixture(scope='module')
def dashboard(reports: Path, environment: dict[str, str]) -> Iterator[Dashboard]:
    folder = reports.parent
    card = EmotionModelCard.load()
    measured = {
        'accuracy': 0.75,
        'count': 4,
        'labels': ['happy', 'sad'],
        'confusion_matrix': [[2, 0], [1, 1]],
        'robustness': {'low_light_middle': {'accuracy': 0.5}},
        'command': 'fer evaluate dataset mine',
    }
    about = {**card.about, 'metrics': {'my_test': measured}}
    dataclasses.replace(card, about=about).write(folder / 'card.json')
    for name in card.files.values():
        (folder / name).symlink_to(card.folder / name)
    server = Dashboard(
        folder, environment, '--reports', str(reports), '--model', str(folder / 'card.json')
    )
    yield server
    assert server.stop() == 0, server.log.read_text()
    assert 'Traceback' not in server.log.read_text()


def drop(page: Any, path: Path) -> None:
    wait_for(lambda: page.find_elements('css selector', 'input[type=file]'), 'an upload field')
    page.find_element('css selector', 'input[type=file]').send_keys(str(path))


@pytest.fixture(scope='module')
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the demo, with somebody in view from the first picture on."""
    path, source = tmp_path_factory.mktemp('clip') / 'clip.mp4', DemoSource((320, 240), 10.0)
    with VideoWriter(path, 10.0) as writer:
        for number in range(30):
            writer.write(source.at(1.0 + number / 10))
    return path


@needs_browser
def test_a_clip_is_played_as_it_is_read(
    dashboard: Dashboard, browse: Callable[..., Any], clip: Path
) -> None:
    page = browse(dashboard.address('/photo'), 390, 'dark')
    drop(page, clip)
    wait_for(lambda: bars(page), 'bars while it plays')
    wait_for(lambda: shades(page) > 50, 'a picture while it plays')
    assert 'Report (HTML)' not in text_of(page)
    wait_for(lambda: 'Report (HTML)' in text_of(page), 'the result')
    wait_for(lambda: not bars(page), 'the player has gone')
    assert width_of(page) <= 390
    assert not problems(page)


def moment(page: Any) -> float:
    """Return where the clip's video is, as a share of its length; -1 before it is there."""
    script = "const v = document.querySelector('video'); return v && v.currentTime / v.duration"
    share = page.execute_script(script)
    return -1.0 if share is None else float(share)


@needs_browser
def test_a_click_on_a_person_s_lane_seeks_in_the_clip(
    dashboard: Dashboard, browse: Callable[..., Any], clip: Path
) -> None:
    page = browse(dashboard.address('/photo'))
    drop(page, clip)
    curve = wait_for(lambda: page.find_elements('css selector', '.fer-curve'), 'lanes')[0]
    faces = "return document.querySelector('.fer-lane img').naturalWidth"
    assert page.execute_script(faces) == 96
    wait_for(lambda: moment(page) > 0, 'the annotated video')
    actions = action_chains.ActionChains(page)
    actions.move_to_element_with_offset(curve, round(-0.25 * curve.size['width']), 0)
    actions.click().perform()
    wait_for(lambda: abs(moment(page) - 0.25) < 0.03, 'a quarter of the clip')
    line = "return getComputedStyle(document.querySelector('.fer-lanes')).getPropertyValue('--at')"
    wait_for(lambda: 23 < float(page.execute_script(line).rstrip('%')) < 28, 'the line follows')
    assert not problems(page)


@needs_browser
def test_a_recording_is_shown_as_a_clip(
    dashboard: Dashboard, browse: Callable[..., Any], reports: Path
) -> None:
    page = browse(dashboard.address('/photo'))
    drop(page, next((reports.parent / 'demo_bag').glob('*.mcap')))
    wait_for(lambda: page.find_elements('css selector', '.fer-lane'), 'lanes')
    assert not problems(page)


@needs_browser
def test_photo_and_broken_files(
    dashboard: Dashboard, browse: Callable[..., Any], tmp_path: Path, astronaut: np.ndarray
) -> None:
    (tmp_path / 'photo.png').write_bytes(cv2.imencode('.png', astronaut)[1].tobytes())
    (tmp_path / 'broken.jpg').write_bytes(b'\xff\xd8\xff\xe0 is no photo')
    (tmp_path / 'broken.mp4').write_bytes(b'is no video')
    page = browse(dashboard.address())
    for name, said in (
        ('photo.png', r'1 · \w+.* \d+ %'),
        ('broken.jpg', 'broken.jpg is not a photo that can be read'),
        ('broken.mp4', r'broken.mp4 cannot be opened \(damaged, or of an unknown format\)'),
    ):
        page.get(dashboard.address('/photo'))
        drop(page, tmp_path / name)
        wait_for(lambda said=said: re.search(said, text_of(page)), f'{name}: {said}')
    assert not problems(page)


@needs_browser
def test_several_photos_and_a_crowd(
    dashboard: Dashboard, browse: Callable[..., Any], tmp_path: Path, astronaut: np.ndarray
) -> None:
    crowd = np.tile(astronaut[40:220, 130:310], (2, 4, 1))
    for name, image in (('one.png', astronaut), ('crowd.png', crowd)):
        (tmp_path / name).write_bytes(cv2.imencode('.png', image)[1].tobytes())
    page = browse(dashboard.address('/photo'), 390)
    drop(page, Path(f'{tmp_path}/one.png\n{tmp_path}/crowd.png'))
    wait_for(lambda: 'Result as CSV' in text_of(page), 'the table of both')
    page.get(dashboard.address('/photo'))
    drop(page, tmp_path / 'crowd.png')
    wait_for(lambda: re.search(r'happy \d of 8', text_of(page)), 'the summary of eight faces')
    wait_for(lambda: 'Annotated image' in text_of(page), 'the annotated image')
    assert width_of(page) <= 390
    assert not problems(page)


@needs_browser
def test_model_card_with_its_figures(dashboard: Dashboard, browse: Callable[..., Any]) -> None:
    page = browse(dashboard.address('/model'))
    wait_for(lambda: 'Unknown below' in text_of(page), 'the card')
    wait_for(lambda: 'My test' in text_of(page), 'the measurement')
    wait_for(lambda: 'Printed by fer evaluate dataset' in text_of(page), 'its command')
    wait_for(lambda: len(pictures(page)) == 2, 'confusion matrix and robustness')
    assert min(pictures(page)) > 300
    assert not problems(page)


def pictures(page: Any) -> list[int]:
    """Return the widths of the pictures that are loaded."""
    return list(
        page.execute_script(
            "return [...document.querySelectorAll('[data-testid=stImage] img')]"
            '.map(picture => picture.naturalWidth).filter(Boolean)'
        )
    )


@needs_browser
def test_reports_of_a_bag_and_of_others(
    dashboard: Dashboard, browse: Callable[..., Any]
) -> None:
    page = browse(dashboard.address('/reports'), 390)
    frame = wait_for(lambda: page.find_elements('css selector', 'iframe'), 'the report')[0]
    page.switch_to.frame(frame)
    wait_for(lambda: 'demo_bag: /image_raw' in text_of(page), "the bag's report")
    assert 'Against the labels' in text_of(page)
    widths = "return [...document.querySelectorAll('svg')].map(plot => plot.clientWidth)"
    assert min(page.execute_script(widths)) > 200
    page.switch_to.default_content()
    chooser = page.find_element('css selector', '[data-testid=stSelectbox] input')
    chooser.send_keys('other.html\ue007')

    def shows_other() -> bool:
        page.switch_to.default_content()
        page.switch_to.frame(page.find_element('css selector', 'iframe'))
        return 'A bag' in text_of(page)

    wait_for(shows_other, 'the heading, unchanged by the script')


def test_only_this_computer_s_names_are_served(dashboard: Dashboard) -> None:
    assert dashboard.status() == 200
    assert dashboard.status(Host='elsewhere.example') == 400
    assert dashboard.status('/live/state?camera=/none') == 200
    assert dashboard.status('/live/state?camera=/none&since=x') == 200
    assert dashboard.status('/live/image.jpg?camera=/none') == 204


def test_elsewhere_a_token_is_needed(tmp_path: Path, environment: dict[str, str]) -> None:
    guarded = Dashboard(tmp_path, environment, '--host', '0.0.0.0')
    try:
        (token,) = re.findall(r'\?token=([\w-]{32})', guarded.log.read_text())
        assert guarded.status() == 401
        assert guarded.status('/live/state') == 401
        assert guarded.status('/?token=wrong') == 401
        assert guarded.status(Cookie=f'fer_dashboard_token={token}') == 200
    finally:
        assert guarded.stop() == 0


@pytest.mark.parametrize(
    'arguments,message',
    [
        (('--port', '0'), '--port: expected 1 to 65535, got 0'),
        (('--reports', 'missing'), '--reports: missing is not a folder'),
    ],
    ids=['port', 'reports'],
)
def test_mistakes_are_said_in_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'fer_ros.cli', 'dashboard', *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == f'fer: {message}'


def test_without_streamlit_the_command_says_how_to_get_it() -> None:
    code = (
        'import sys; sys.modules["streamlit"] = None; '
        'from fer_ros.cli import main; sys.exit(main(["dashboard"]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        'fer: the dashboard needs Streamlit: run scripts/bootstrap --with dashboard, '
        'or pip install -r requirements/dashboard.txt\n'
    )
