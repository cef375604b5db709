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
pytest.importorskip('selenium.webdriver', reason='Selenium is not installed')


@pytest.fixture(scope='module')
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp('dashboard')
    reports = folder / 'reports'
    reports.mkdir()
    (reports / 'other.html').write_text(
        '<title>r</title><h1>A bag</h1><img id="p" src="plot.png"><script>document.title="ran";'
        'document.querySelector("h1").textContent="script ran"</script>'
    )
    plot = cv2.imencode('.png', np.full((20, 30, 3), 200, np.uint8))[1]
    (reports / 'plot.png').write_bytes(plot.tobytes())
    bag = folder / 'demo_bag'
    assert main(['record-demo', str(bag), '--seconds', '4', '--rate', '5']) == 0
    arguments = ['--labels', str(bag / 'labels.csv'), '--output', str(reports / 'bag')]
    assert main(['evaluate', 'bag', str(bag), *arguments]) == 0
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
    assert 'Result as JSON lines' not in text_of(page)
    wait_for(lambda: 'Result as JSON lines' in text_of(page), 'the result')
    wait_for(lambda: not bars(page), 'the player has gone')
    assert width_of(page) <= 390
    (again,) = page.find_elements('xpath', '//button[contains(., "Play again")]')
    again.click()
    wait_for(lambda: bars(page), 'bars when it plays again')
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
        ('broken.mp4', 'broken.mp4 is damaged, or of an unknown format'),
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
    wait_for(lambda: 'Metrics, my test' in text_of(page), 'the measurement')
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
def test_reports_of_a_bag_and_of_strangers(
    dashboard: Dashboard, browse: Callable[..., Any]
) -> None:
    page = browse(dashboard.address('/reports'), 390)
    frame = wait_for(lambda: page.find_elements('css selector', 'iframe'), 'the report')[0]
    page.switch_to.frame(frame)
    wait_for(lambda: 'demo_bag: /image_raw' in text_of(page), "the bag's report")
    assert 'Against the labels' in text_of(page)
    timeline = "return document.querySelector('img[alt=timeline]').naturalWidth"
    wait_for(lambda: page.execute_script(timeline) > 500, 'the timeline')
    page.switch_to.default_content()
    chooser = page.find_element('css selector', '[data-testid=stSelectbox] input')
    chooser.send_keys('other.html\ue007')

    def shows_stranger() -> bool:
        page.switch_to.default_content()
        page.switch_to.frame(page.find_element('css selector', 'iframe'))
        return 'A bag' in text_of(page)

    wait_for(shows_stranger, 'the heading, unchanged by the script')
    assert page.execute_script("return document.getElementById('p').naturalWidth") == 30


def test_only_this_computer_s_names_are_answered(dashboard: Dashboard) -> None:
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
