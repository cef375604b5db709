# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as they lie on disks: whole, cut off, edited, of many files, with odd times."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.typesys import Stores, get_typestore

from fer_ros.cli import main
from fer_ros.config import PipelineConfig
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import BagClock, bag_images, image_topic
from fer_ros.data.message_types import FOXGLOVE_IMAGES
from fer_ros.errors import ImageError, SourceError
from fer_ros.evaluation.bags import BagTask, find_bags, result_names
from fer_ros.messages.images import image_message

TOPIC, START_NS, STEP_NS = '/cam', 1_700_000_000 * 10**9, 10**8


def write(
    path: Path, storage: str = 'mcap', stamps_s: list[float] | None = None, first: int = 0
) -> Path:
    """Write a bag of ten grey images, number n of brightness n; return its folder."""
    with BagWriter(path, storage) as writer:
        for number in range(10):
            log_ns = START_NS + (first + number) * STEP_NS
            stamp_ns = log_ns if stamps_s is None else round(stamps_s[number] * 1e9)
            image = np.full((40, 50, 3), first + number, np.uint8)
            header = writer.header(stamp_ns, 'camera')
            writer.write(TOPIC, log_ns, image_message(writer.make, image, header))
    return path


def storage_file(bag: Path) -> Path:
    (path,) = (path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    return path


def read(path: Path) -> tuple[list[int], list[str]]:
    """Return the brightness of all images, and what the reader remarks."""
    with open_bag(path) as reader:
        found = [item.image for item in bag_images(reader, image_topic(reader))]
        return [-1 if isinstance(i, ImageError) else int(i[0, 0, 0]) for i in found], reader.remarks


@pytest.fixture(params=['mcap', 'sqlite3'])
def bag(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / 'bag', request.param)


def without_metadata(bag: Path) -> Path:
    (bag / 'metadata.yaml').unlink()
    return bag


def edited(old: str, new: str):
    def edit(bag: Path) -> Path:
        path = bag / 'metadata.yaml'
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return bag

    return edit


def corrupt_metadata(bag: Path) -> Path:
    (bag / 'metadata.yaml').write_text('{')
    return bag


@pytest.mark.parametrize(
    'change',
    [
        pytest.param(lambda bag: bag, id='whole'),
        pytest.param(lambda bag: storage_file(bag), id='its file'),
        pytest.param(without_metadata, id='no metadata'),
        pytest.param(lambda bag: storage_file(without_metadata(bag)), id='lone file'),
        pytest.param(corrupt_metadata, id='metadata cut off'),
        pytest.param(edited('offered_qos_profiles: []', 'offered_qos_profiles: x'), id='QoS'),
        pytest.param(edited('storage_identifier: ', 'storage_identifier: "" #'), id='no storage'),
        pytest.param(edited('version: 9', 'version: 99'), id='version of the future'),
        pytest.param(edited('type: sensor_msgs/msg/Image', 'type: a/msg/B'), id='other type'),
    ],
)
def test_a_bag_is_read_whatever_its_metadata_say(bag: Path, change) -> None:
    assert read(change(bag)) == (list(range(10)), [])


@pytest.mark.parametrize('listed', [[0, 1, 2], [2, 0, 1]], ids=['in order', 'out of order'])
@pytest.mark.parametrize('has_metadata', [True, False])
def test_the_files_of_a_recording_are_merged_by_time(
    tmp_path: Path, listed: list[int], has_metadata: bool
) -> None:
    whole = tmp_path / 'whole'
    whole.mkdir()
    for part in range(3):
        bag = write(tmp_path / f'part{part}', first=10 * part)
        storage_file(bag).rename(whole / f'whole_{part}.mcap')
    if has_metadata:
        text = (tmp_path / 'part0' / 'metadata.yaml').read_text()
        names = ''.join(f'  - whole_{part}.mcap\n' for part in listed)
        head, _, tail = text.partition('relative_file_paths:\n')
        assert tail.lstrip().startswith('- part0.mcap\n')
        (whole / 'metadata.yaml').write_text(
            f'{head}relative_file_paths:\n{names}{tail.split("part0.mcap", 1)[1].lstrip(chr(10))}'
        )
    assert read(whole) == (list(range(30)), [])


def test_a_missing_part_is_remarked_and_the_others_are_read(tmp_path: Path) -> None:
    bag = write(tmp_path / 'bag')
    edited('- bag.mcap', '- bag.mcap\n  - bag_1.mcap')(bag)
    assert read(bag) == (list(range(10)), ['bag_1.mcap, which metadata.yaml lists, is missing'])


def test_several_recordings_without_metadata_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / 'many').mkdir()
    for name in ('monday', 'tuesday'):
        storage_file(write(tmp_path / name)).rename(tmp_path / 'many' / f'{name}.mcap')
    with pytest.raises(SourceError, match=r'several recordings \(monday.mcap, tuesday.mcap\)'):
        read(tmp_path / 'many')
    assert find_bags(tmp_path / 'many')[0] == [
        tmp_path / 'many' / 'monday.mcap', tmp_path / 'many' / 'tuesday.mcap'
    ]  # fmt: skip


@pytest.mark.parametrize('content', [b'', b'\x89MCAP0\r\n', b'hello', bytes(500)])
@pytest.mark.parametrize('suffix', ['.mcap', '.db3', '.bag'])
def test_a_file_of_which_nothing_can_be_read_is_named(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f'rec{suffix}'
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f'bag .*rec{suffix} cannot be opened'):
        read(path)


def test_an_mcap_of_another_program_and_odd_definitions_do_no_harm(tmp_path: Path) -> None:
    """No profile, and a type that is defined with Windows' line ends, or not at all."""
    path = storage_file(without_metadata(write(tmp_path / 'bag')))
    content = path.read_bytes()
    (length,) = np.frombuffer(content[9:17], '<u8')
    library = content[17 + 4 + len('ros2') : 17 + length]
    header = b'\0\0\0\0' + library
    schema = b'\x09\0' + b''.join(
        len(text).to_bytes(4, 'little') + text
        for text in (b'my_msgs/msg/Battery', b'ros2msg', b'float32 volts\r\n???\r\n')
    )
    channel = b'\x09\0\x09\0' + b'\x08\0\0\0/battery' + b'\x03\0\0\0cdr' + b'\0\0\0\0'
    records = [(1, header), (3, schema), (4, channel)]
    path.write_bytes(
        content[:8]
        + b''.join(bytes([code]) + len(r).to_bytes(8, 'little') + r for code, r in records)
        + content[17 + length :]
    )
    brightness, remarks = read(path)
    assert brightness == list(range(10))
    assert [remark.startswith('type my_msgs/msg/Battery') for remark in remarks] == [True]


def test_a_bag_of_ros_1_is_read(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS1_NOETIC)
    kinds = store.types
    with Rosbag1Writer(tmp_path / 'old.bag') as writer:
        connection = writer.add_connection(TOPIC, 'sensor_msgs/msg/Image', typestore=store)
        for number in range(3):
            stamp = kinds['builtin_interfaces/msg/Time'](sec=number, nanosec=500_000_000)
            header = kinds['std_msgs/msg/Header'](seq=7, stamp=stamp, frame_id='c')
            message = kinds['sensor_msgs/msg/Image'](
                header=header, height=4, width=5, encoding='bgr8', is_bigendian=0, step=15,
                data=np.full(60, number, np.uint8),
            )  # fmt: skip
            data = store.serialize_ros1(message, message.__msgtype__)
            writer.write(connection, number * 10**9, data)
    assert read(tmp_path / 'old.bag') == ([0, 1, 2], [])
    with open_bag(tmp_path / 'old.bag') as reader:
        assert BagClock(reader, TOPIC).times_s.tolist() == [0.0, 1.0, 2.0]


def test_what_is_there_instead_of_images_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'bag'
    with BagWriter(path) as writer:
        writer.write('/text', 1, writer.make('std_msgs/msg/String', data='x'))
    with open_bag(path) as reader, pytest.raises(SourceError, match=r'no images; it has: /text'):
        image_topic(reader)
    content = storage_file(path).read_bytes()
    storage_file(path).write_bytes(content.replace(b'std_msgs/msg/String', b'ffmpeg/msg/AVPacket'))
    with open_bag(path) as reader, pytest.raises(SourceError, match='/text holds video'):
        image_topic(reader)


@pytest.mark.parametrize(
    'counts, found',
    [
        pytest.param({'/cam/image_raw': 1, '/cam/image_raw/compressed': 1}, '/cam/image_raw',
                     id='raw and compressed'),
        pytest.param({'/cam/image_raw': 0, '/cam/image_raw/compressed': 1},
                     '/cam/image_raw/compressed', id='raw announced only'),
        pytest.param({'/cam/color/image_raw': 1, '/cam/depth/image_rect_raw': 1,
                      '/cam/aligned_depth_to_color/image_raw': 1,
                      '/cam/depth/image_rect_raw/compressedDepth': 1}, '/cam/color/image_raw',
                     id='depth camera'),
        pytest.param({'/image': 1, '/image_annotated': 1, '/image_annotated/compressed': 1},
                     '/image', id='our own results'),
        pytest.param({'/image_annotated': 1}, '/image_annotated', id='nothing else'),
        pytest.param({'/left/image': 1, '/right/image': 1}, '', id='two cameras'),
        pytest.param({'/image': 0}, '', id='no image'),
    ],
)  # fmt: skip
def test_the_camera_is_found_among_other_images(
    tmp_path: Path, counts: dict[str, int], found: str
) -> None:
    with BagWriter(tmp_path / 'bag') as writer:
        for topic, count in counts.items():
            writer.add_topic(topic, 'sensor_msgs/msg/Image')
            for number in range(count):
                image = image_message(writer.make, np.zeros((4, 5, 3), np.uint8),
                                      writer.header(START_NS, 'c'))  # fmt: skip
                writer.write(topic, START_NS + number, image)
    with open_bag(tmp_path / 'bag') as reader:
        if found:
            assert image_topic(reader) == found
        else:
            with pytest.raises(SourceError, match=r'2 image topics|no images; it has: /image'):
                image_topic(reader)


@pytest.mark.parametrize('kind', FOXGLOVE_IMAGES)
def test_images_of_foxglove_are_read(tmp_path: Path, kind: str) -> None:
    image = np.full((4, 6, 3), 90, np.uint8)
    with BagWriter(tmp_path / 'bag') as writer:
        fields = {'timestamp': writer.header(START_NS, '').stamp, 'frame_id': 'c'}
        if 'Raw' in kind:
            fields |= {'width': 5, 'height': 4, 'encoding': 'bgr8', 'step': 18,
                       'data': image.reshape(-1)}  # fmt: skip
        else:
            fields |= {'format': 'png', 'data': cv2.imencode('.png', image)[1].reshape(-1)}
        writer.write(TOPIC, START_NS, writer.make(kind, **fields))
    assert read(tmp_path / 'bag') == ([90], [])


BASE_S = START_NS / 1e9
EVEN = [BASE_S + 0.1 * n for n in range(10)]


def changed(**values: float) -> list[float]:
    return [values.get(f'n{n}', stamp) for n, stamp in enumerate(EVEN)]


@pytest.mark.parametrize(
    'stamps_s, expected_s, corrected',
    [
        pytest.param(EVEN, [0.1 * n for n in range(10)], 0, id='as they should be'),
        pytest.param(changed(n5=EVEN[4] - 0.001), [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.6, 0.7, 0.8, 0.9],
                     0, id='a millisecond late'),
        pytest.param(changed(n3=0.0, n9=0.0), [0.1 * n for n in range(10)], 2, id='some zero'),
        pytest.param(changed(n2=BASE_S + 3600), [0.1 * n for n in range(10)], 1, id='an hour off'),
        pytest.param([0.0] * 10, [0.1 * n for n in range(10)], 10, id='all zero'),
        pytest.param([BASE_S] * 10, [0.1 * n for n in range(10)], 10, id='standing still'),
        pytest.param([100 + 0.1 * n for n in range(10)], [0.1 * n for n in range(10)], 0,
                     id='simulated time'),
        pytest.param([BASE_S + 0.05 * n for n in range(10)], [0.05 * n for n in range(10)], 0,
                     id='played at half speed'),
        pytest.param([BASE_S - n for n in range(10)], [0.1 * n for n in range(10)], 10,
                     id='backwards'),
        pytest.param([100 + 0.3 * (n % 5) for n in range(10)], [0.1 * n for n in range(10)], 10,
                     id='simulation reset'),
    ],
)  # fmt: skip
def test_times_never_run_backwards_and_never_leave_the_recording(
    tmp_path: Path, stamps_s: list[float], expected_s: list[float], corrected: int
) -> None:
    bag = write(tmp_path / 'bag', stamps_s=stamps_s)
    with open_bag(bag) as reader:
        clock = BagClock(reader, TOPIC)
    np.testing.assert_allclose(clock.times_s, expected_s, atol=1e-6)
    assert clock.corrected == corrected
    assert clock.at(START_NS + 4 * STEP_NS) == pytest.approx(expected_s[4], abs=0.02)


def test_recordings_are_found_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    write(tmp_path / 'a')
    storage_file(without_metadata(write(tmp_path / 'b'))).rename(tmp_path / 'b' / 'lone.mcap')
    (tmp_path / 'c').mkdir()
    (tmp_path / 'c' / 'c_0.mcap.zstd').write_bytes(b'x')
    (tmp_path / 'c' / 'c_1.mcap.zstd').write_bytes(b'x')
    shutil.copytree(tmp_path / 'a', tmp_path / '.hidden')
    shutil.copytree(tmp_path / 'a', tmp_path / 'd' / 'emotions')
    (tmp_path / 'd' / 'results.json').write_text('{}')
    bags, left_out = find_bags(tmp_path)
    assert bags == [tmp_path / 'a', tmp_path / 'b' / 'lone.mcap', tmp_path / 'c']
    assert left_out == [f'{tmp_path}/d/emotions: the results of an evaluation']


def test_results_of_recordings_of_one_name_have_names_of_their_own() -> None:
    paths = ('x/a', 'y/a.mcap', 'z/a_2', 'z/A.db3.zstd', 'summary.json')
    tasks = [BagTask(Path(path), PipelineConfig()) for path in paths]
    assert result_names(tasks) == ['a', 'a_2', 'a_2_2', 'A_3', 'summary.json_2']


def test_images_of_which_none_can_be_read_are_an_error_that_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, out = tmp_path / 'bag', tmp_path / 'out'
    with BagWriter(bag) as writer:
        for number in range(3):
            message = writer.make(
                'sensor_msgs/msg/CompressedImage',
                header=writer.header(number, 'c'),
                format='h264',
                data=np.zeros(99, np.uint8),
            )
            writer.write('/cam/compressed', number, message)
    arguments = ['evaluate', 'bag', str(bag), '--output', str(out)]
    assert main(arguments) == 1
    assert '3 of 3 images could not be read' in capsys.readouterr().err
    facts = json.loads((out / 'results.json').read_text())
    ((reason, count),) = facts['bad_image_reasons'].items()
    assert (count, 'video packet is damaged' in reason) == (3, True)
    assert 'video packet is damaged' in (out / 'report.html').read_text()
    assert main(arguments) == 1
    assert 'results.json exists already' in capsys.readouterr().err
    labels = tmp_path / 'labels.csv'
    labels.write_text('start_s,end_s,label\n0,1,merry\n')
    assert main([*arguments, '--labels', str(labels), '--overwrite']) == 1
    assert "labels.csv, line 2: label 'merry'" in capsys.readouterr().err
    assert main([*arguments, '--labels', str(tmp_path / 'gone.csv'), '--overwrite']) == 1
    assert json.loads((out / 'results.json').read_text()) == facts
