# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`fer dashboard` with real nodes in a real browser (headless Chromium).

FER_SCREENSHOTS=docs/figures pytest test/system/test_dashboard.py -k live_view
draws the documentation's pictures of the page anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.image_source import DemoSource
from fer_ros.model_card import load_emotion_card
from fer_ros.video_writer import VideoWriter

pytest.importorskip('streamlit', reason='Streamlit is not installed (requirements/dashboard.txt)')
webdriver = pytest.importorskip('selenium.webdriver', reason='Selenium is not installed')

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
DRIVER = shutil.which('chromedriver')
ROOT = Path(__file__).parent.parent.parent
DEADLINE_S = 120.0

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason='no Chromium with its driver (apt install chromium-driver)'
)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of *condition*; fail after DEADLINE_S."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail(f'not within {DEADLINE_S:g} s: {what}')


class Dashboard:
    """A dashboard in a process of its own, with the addresses of its pages."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.log = folder / 'dashboard.log'
        with self.log.open('wb') as stream:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'fer_ros.cli', 'dashboard', '--port', str(self.port),
                 *arguments],
                stdout=stream, stderr=subprocess.STDOUT, env=environment, cwd=folder,
            )  # fmt: skip
        wait_for(self._answers, 'the dashboard answers')

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 1):
            return True
        return False

    def address(self, path: str = '/') -> str:
        return f'http://127.0.0.1:{self.port}{path}'

    def status(self, path: str = '/', **headers: str) -> int:
        request = urllib.request.Request(self.address(path), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture(scope='module')
def environment() -> dict[str, str]:
    """A DDS domain for this file alone."""
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }


@pytest.fixture(scope='module')
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp('dashboard')
    reports = folder / 'reports'
    reports.mkdir()
    (reports / 'stranger.html').write_text(
        '<title>r</title><h1>A bag</h1><img id="p" src="plot.png"><script>document.title="ran";'
        'document.querySelector("h1").textContent="script ran"</script>'
    )
    plot = cv2.imencode('.png', np.full((20, 30, 3), 200, np.uint8))[1]
    (reports / 'plot.png').write_bytes(plot.tobytes())
    bag = folder / 'demo_bag'
    assert main(['record-demo', str(bag), '--seconds', '4', '--rate', '5']) == 0
    arguments = ['--labels', str(bag / 'labels.csv'), '--output', str(reports / 'bag')]
    assert main(['evaluate', 'bag', str(bag), *arguments]) == 0
    card = load_emotion_card()
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
    running = Dashboard(
        folder, environment, '--reports', str(reports), '--model', str(folder / 'card.json')
    )
    yield running
    assert running.stop() == 0, running.log.read_text()
    assert 'Traceback' not in running.log.read_text()


@pytest.fixture(scope='module')
def nodes(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[None]:
    """Camera and emotion node, as in the demo, but slower: machines are shared."""
    with running(
        tmp_path_factory.mktemp('nodes'),
        environment,
        ('emotion_node', '-r', 'image:=image_raw'),
        ('camera_node', '-p', 'rate_hz:=10.0'),
    ):
        yield


@contextlib.contextmanager
def running(folder: Path, environment: dict[str, str], *nodes: tuple[str, ...]) -> Iterator[None]:
    """Run nodes, each a name and ROS arguments, while the block runs."""
    with contextlib.ExitStack() as stack:
        for number, (name, *arguments) in enumerate(nodes):
            log = stack.enter_context((folder / f'{name}{number}.log').open('wb'))
            process = subprocess.Popen(
                [sys.executable, '-m', f'fer_ros.nodes.{name}', '--ros-args', *arguments],
                stdout=log, stderr=subprocess.STDOUT, env=environment,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGINT)
        yield


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open an address in a new browser, with what it says on its console."""
    with contextlib.ExitStack() as stack:

        def browse(address: str, width_px: int = 1280, scheme: str = 'light') -> Any:
            options = webdriver.ChromeOptions()
            options.binary_location = str(CHROMIUM)
            for switch in (
                'headless', 'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run',
                'disable-background-networking', 'disable-component-update', 'disable-sync',
                'disable-dev-shm-usage',
                f'user-data-dir={tmp_path / f"profile{time.monotonic_ns()}"}',
            ):  # fmt: skip
                options.add_argument(f'--{switch}')
            options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
            service = webdriver.ChromeService(executable_path=DRIVER)
            page = webdriver.Chrome(options=options, service=service)
            stack.callback(page.quit)
            size = {'width': width_px, 'height': 960, 'deviceScaleFactor': 1, 'mobile': False}
            page.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
            feature = {'name': 'prefers-color-scheme', 'value': scheme}
            page.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [feature]})
            page.get(address)
            return page

        yield browse


def text_of(page: Any) -> str:
    return str(page.execute_script('return document.body.innerText'))


def problems(page: Any) -> list[str]:
    """Return what the console calls an error, but for Streamlit's own search for its address."""
    return [
        line['message']
        for line in page.get_log('browser')
        if line['level'] == 'SEVERE' and '/_stcore/' not in line['message']
    ]


def width_of(page: Any) -> int:
    return int(page.execute_script('return document.documentElement.scrollWidth'))


def bars(page: Any) -> list[str]:
    return list(
        page.execute_script(
            "return [...document.querySelectorAll('.fer-fill')].map(bar => bar.style.width)"
        )
    )


def drop(page: Any, path: Path) -> None:
    wait_for(lambda: page.find_elements('css selector', 'input[type=file]'), 'an upload field')
    page.find_element('css selector', 'input[type=file]').send_keys(str(path))


@needs_browser
def test_without_a_node_the_page_says_how_to_start_one(
    tmp_path: Path, environment: dict[str, str], browse: Callable[..., Any]
) -> None:
    quiet = Dashboard(tmp_path, {**environment, 'ROS_DOMAIN_ID': '231'})
    try:
        page = browse(quiet.address())
        wait_for(lambda: 'No emotion node is running' in text_of(page), 'the advice')
        assert 'ros2 launch fer_ros live.launch.py' in text_of(page)
        assert 'Photo or clip' in text_of(page)
        assert not problems(page)
    finally:
        assert quiet.stop() == 0


@needs_browser
def test_without_ros_the_page_says_so(
    tmp_path: Path, environment: dict[str, str], browse: Callable[..., Any]
) -> None:
    hidden = tmp_path / 'hidden' / 'rclpy'
    hidden.mkdir(parents=True)
    (hidden / '__init__.py').write_text('raise ModuleNotFoundError("No module named \'rclpy\'")\n')
    path = os.pathsep.join([str(hidden.parent), environment.get('PYTHONPATH', '')])
    without = Dashboard(tmp_path, {**environment, 'PYTHONPATH': path})
    try:
        page = browse(without.address())
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
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any], width_px: int, scheme: str
) -> None:
    page = browse(dashboard.address(), width_px, scheme)
    wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')
    first = bars(page)
    assert len(first) % 8 == 0
    wait_for(lambda: bars(page) not in ([], first), 'bars that move')
    wait_for(lambda: 'latency, median' in text_of(page), 'the latency')
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
    if folder := os.environ.get('FER_SCREENSHOTS'):
        time.sleep(40.0)  # Fills the timeline.
        wait_for(lambda: len(page.find_elements('css selector', '.fer-person')) == 2, 'both people')
        time.sleep(1.0)
        page.save_screenshot(str(ROOT / folder / f'dashboard_{scheme}.png'))


@needs_browser
def test_two_viewers_and_the_switch(
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any]
) -> None:
    pages = [browse(dashboard.address()), browse(dashboard.address())]
    for page in pages:
        wait_for(lambda page=page: page.find_elements('css selector', '.fer-person'), 'a person')
    switch = '[data-testid=stCheckbox] label'
    pages[0].find_element('css selector', switch).click()
    for page in pages:
        wait_for(lambda page=page: 'No answer for' in text_of(page), 'that nobody looks')
    checked = "return document.querySelector('[data-testid=stCheckbox] input').checked"
    wait_for(lambda: not pages[1].execute_script(checked), 'the other switch follows')
    pages[1].find_element('css selector', switch).click()
    for page in pages:
        wait_for(lambda page=page: 'No answer for' not in text_of(page), 'that the node looks')
    assert not problems(pages[0]) + problems(pages[1])


@needs_browser
def test_the_model_form_says_what_became_of_it(
    dashboard: Dashboard, nodes: None, browse: Callable[..., Any]
) -> None:
    page = browse(dashboard.address())
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
def test_two_cameras_can_be_chosen(
    tmp_path: Path, environment: dict[str, str], browse: Callable[..., Any]
) -> None:
    quiet = {**environment, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 51) % 100)}
    nodes = []
    for side in ('left', 'right'):
        space = ('-r', f'__ns:=/{side}')
        nodes += [
            ('emotion_node', *space, '-r', 'image:=image_raw'),
            ('camera_node', *space, '-p', 'rate_hz:=5.0'),
        ]
    with running(tmp_path, quiet, *nodes):
        page_server = Dashboard(tmp_path, quiet)
        try:
            page = browse(page_server.address())
            chooser = '[data-testid=stSelectbox]'
            wait_for(lambda: page.find_elements('css selector', chooser), 'the chooser')
            wait_for(lambda: '/left/emotion_node' in text_of(page), 'the first camera')
            wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person')
            page.find_element('css selector', f'{chooser} input').send_keys('/right\ue007')
            wait_for(lambda: '/right/emotion_node' in text_of(page), 'the other camera')
            wait_for(lambda: page.find_elements('css selector', '.fer-person'), 'a person there')
            assert not problems(page)
        finally:
            assert page_server.stop() == 0


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


def shades(page: Any) -> int:
    """Return how many values the pixels of the player's picture have."""
    return int(
        page.execute_script(
            "const c = document.querySelector('.fer-stage canvas'); if (!c) return 0;"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            'return new Set(d).size'
        )
    )


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
    chooser.send_keys('stranger.html\ue007')

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
        (('--reports', 'missing'), '--reports: missing is no folder'),
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


def test_without_streamlit_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    """A folder on Python's path hides the real one; find_spec of a bare name finds neither."""
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
