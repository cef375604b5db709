# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard's live view of real nodes in a real browser (headless Chromium)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.dashboard import (
    Dashboard,
    bars,
    needs_browser,
    problems,
    running,
    shades,
    text_of,
    wait_for,
    width_of,
)

pytest.importorskip('streamlit', reason='Streamlit is not installed (requirements/dashboard.txt)')
pytest.importorskip('selenium.webdriver', reason='Selenium is not installed')


@pytest.fixture(scope='module')
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[Dashboard]:
    server = Dashboard(tmp_path_factory.mktemp('dashboard'), environment)
    yield server
    assert server.stop() == 0, server.log.read_text()
    assert 'Traceback' not in server.log.read_text()


@pytest.fixture(scope='module')
def nodes(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[None]:
    """Camera and emotion node, as in the demo, but slower: machines are shared."""
    with running(
        tmp_path_factory.mktemp('nodes'),
        environment,
        ('emotion_node', '-r', 'image:=image_raw', '-p', 'notice:=Faces are read here.'),
        ('camera_node', '-p', 'rate_hz:=10.0'),
    ):
        yield


@needs_browser
def test_without_ros_the_page_says_so(
    tmp_path: Path, environment: dict[str, str], browse: Callable[..., Any]
) -> None:
    (tmp_path / 'sitecustomize.py').write_text("import sys\nsys.modules['rclpy'] = None\n")
    path = os.pathsep.join([str(tmp_path), environment.get('PYTHONPATH', '')])
    without = Dashboard(tmp_path, {**environment, 'PYTHONPATH': path})
    try:
        page = browse(without.address('/live'))
        wait_for(lambda: 'ROS is not installed here' in text_of(page), 'the reason')
    finally:
        assert without.stop() == 0


@needs_browser
@pytest.mark.parametrize(
    'width_px,scheme',
    [(1280, 'light'), (390, 'dark')],
    ids=['screen, light', 'phone, dark'],
)
def test_live_view(
    dashboard: Dashboard,
    nodes: None,
    browse: Callable[..., Any],
    width_px: int,
    scheme: str,
) -> None:
    page = browse(dashboard.address('/live'), width_px, scheme)
    wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')
    first = bars(page)
    assert len(first) % 8 == 0
    wait_for(lambda: bars(page) not in ([], first), 'bars that move')
    wait_for(lambda: 'latency, median' in text_of(page), 'the latency')
    wait_for(lambda: 'Faces are read here.' in text_of(page), 'the notice')
    page.execute_script("document.querySelector('.fer-live details').open = true")
    said = text_of(page)
    assert re.search(r'person \d+', said)
    assert re.search(r'model\s+fer-', said)
    wait_for(lambda: shades(page) > 50, 'a picture')
    assert width_of(page) <= width_px
    shade = page.execute_script(
        "return getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    )
    red = int(re.findall(r'\d+', shade)[0])
    assert (red > 128) == (scheme == 'light')
    assert not problems(page)


@needs_browser
def test_two_viewers_and_the_switch(
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any]
) -> None:
    pages = [browse(dashboard.address('/live')), browse(dashboard.address('/live'))]
    for page in pages:
        wait_for(lambda page=page: page.find_elements('css selector', '.fer-person'), 'a person')
    switch = '[data-testid=stCheckbox] label'
    pages[0].find_element('css selector', switch).click()
    for page in pages:
        wait_for(lambda page=page: 'No result for' in text_of(page), 'that nobody looks')
    checked = "return document.querySelector('[data-testid=stCheckbox] input').checked"
    wait_for(lambda: not pages[1].execute_script(checked), 'the other switch follows')
    pages[1].find_element('css selector', switch).click()
    for page in pages:
        wait_for(lambda page=page: 'No result for' not in text_of(page), 'that the node looks')
    assert not problems(pages[0]) + problems(pages[1])


@needs_browser
def test_the_model_form_says_what_became_of_it(
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any]
) -> None:
    page = browse(dashboard.address('/live'))
    wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')

    def choose(model: str) -> None:
        page.find_element('css selector', '[data-testid=stPopover] button').click()
        field = wait_for(
            lambda: page.find_elements('css selector', '[data-testid=stForm] input'), 'the form'
        )[0]
        field.send_keys(model + '\ue007')  # Enter takes the text as it is.
        page.find_element('css selector', '[data-testid=stFormSubmitButton] button').click()

    choose('/gone/card.json')
    wait_for(lambda: 'model card /gone/card.json does not exist' in text_of(page), 'the refusal')
    page.refresh()
    wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'that the node goes on')
    choose('emotion')
    wait_for(lambda: 'Now in use: fer-' in text_of(page), 'the consent')


@needs_browser
def test_settings_of_the_page_reach_the_node(
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any]
) -> None:
    page = browse(dashboard.address('/live'))
    wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')
    page.find_element('xpath', '//button[contains(., "Settings")]').click()
    hide = '//label[contains(., "Make faces unrecognisable")]'
    wait_for(lambda: page.find_elements('xpath', hide), 'the settings')[0].click()
    wait_for(lambda: 'The new settings are in use' in text_of(page), 'what the node says')
    assert not problems(page)


@needs_browser
def test_another_camera_can_be_chosen(
    dashboard: Dashboard,
    nodes: None,
    environment: dict[str, str],
    tmp_path: Path,
    browse: Callable[..., Any],
) -> None:
    other = ('emotion_node', '-r', '__ns:=/other', '-r', 'image:=/image_raw')
    with running(tmp_path, environment, other):
        page = browse(dashboard.address('/live'))
        chooser = '[data-testid=stSelectbox]'
        wait_for(lambda: page.find_elements('css selector', chooser), 'the chooser')
        wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')
        page.find_element('css selector', f'{chooser} input').send_keys('/other\ue007')
        wait_for(lambda: '/other/emotion_node' in text_of(page), 'the other camera')
        wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person there')
        assert not problems(page)
