# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.data.datasets import (
    read_csv,
    read_faces,
    read_npz,
    read_votes,
    vote_shares,
)
from fer_ros.data.face_set import FaceSet, occurs_in
from fer_ros.data.folders import class_folders, read_folder
from fer_ros.errors import DataError
from fer_ros.labels import EMOTIONS

PIXELS = ' '.join(['7'] * 48 * 48)
VOTE_COLUMNS = (
    'neutral',
    'happiness',
    'surprise',
    'sadness',
    'anger',
    'disgust',
    'fear',
    'contempt',
    'unknown',
    'NF',
)


def write(path: Path, *lines: str) -> Path:
    path.write_text('\n'.join(lines) + '\n')
    return path


@pytest.mark.parametrize(
    'header, row',
    [
        pytest.param('emotion,pixels,Usage', f'3,{PIXELS},Training', id='fer2013.csv'),
        pytest.param('emotion, Usage, pixels', f'3,Training,{PIXELS}', id='icml_face_data.csv'),
    ],
)
def test_both_forms_of_the_csv_are_read(tmp_path: Path, header: str, row: str) -> None:
    faces = read_csv(write(tmp_path / 'a.csv', header, row, row.replace('Training', 'PublicTest')))
    assert faces.images.shape == (2, 48, 48)
    assert set(faces.images.ravel()) == {7}
    assert faces.labels.tolist() == [3, 3]
    assert faces.splits.tolist() == [0, 1]


@pytest.mark.parametrize(
    'lines, message',
    [
        pytest.param(['emotion,Usage', '3,Training'], 'columns pixels are missing', id='columns'),
        pytest.param(['', ''], 'columns emotion, pixels are missing', id='no header'),
        pytest.param(['emotion,pixels,Usage'], 'holds no face', id='no rows'),
        pytest.param(
            ['emotion,pixels,Usage', '3,1 2 3,Training'], 'expected 2304 pixels, got 3', id='count'
        ),
        pytest.param(
            ['emotion,pixels,Usage', f'3,{PIXELS[:-1]}x,Training'], 'whole numbers', id='no number'
        ),
        pytest.param(
            ['emotion,pixels,Usage', f'3,{PIXELS[:-1]}256,Training'], '0 to 255', id='too bright'
        ),
        pytest.param(
            ['emotion,pixels,Usage', f'7,{PIXELS},Training'], "unknown label '7'", id='label 7'
        ),
        pytest.param(
            ['emotion,pixels,Usage', f'grin,{PIXELS},Training'], "unknown label 'grin'", id='word'
        ),
        pytest.param(
            ['emotion,pixels,Usage', f'3,{PIXELS},Tset'], "usage 'Tset'", id='unknown usage'
        ),
        pytest.param(['emotion,pixels,Usage', '3'], '2304 pixels, got 0', id='row cut off'),
        pytest.param(
            ['emotion,pixels,Usage', f'{"1" * 5000},{PIXELS},Training'], 'unknown label', id='long'
        ),
    ],
)
def test_a_bad_csv_is_named_with_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(write(tmp_path / 'bad.csv', *lines))


def test_a_csv_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'bad.csv'
    path.write_bytes(b'\xff\xfe\x00emotion')
    with pytest.raises(DataError, match='columns emotion, pixels are missing'):
        read_csv(path)


@pytest.mark.parametrize(
    'votes, expected',
    [
        pytest.param([0, 8, 0, 0, 0, 0, 0, 0, 2, 0], {'happy': 0.8}, id='clear'),
        pytest.param([5, 0, 0, 4, 0, 0, 0, 1, 0, 0], {'neutral': 5 / 9, 'sad': 4 / 9}, id='noise'),
        pytest.param([0, 0, 0, 0, 4, 0, 0, 0, 5, 0], {}, id='unknown has most'),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], {}, id='no face'),
        pytest.param([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], {}, id='one vote each'),
    ],
)
def test_votes_follow_the_protocol(votes: list[int], expected: dict[str, float]) -> None:
    shares = vote_shares(np.array([votes]), VOTE_COLUMNS)[0]
    wanted = [expected.get(label, 0.0) for label in EMOTIONS]
    np.testing.assert_allclose(shares, wanted, atol=1e-6)


def test_votes_are_joined_by_row(tmp_path: Path) -> None:
    faces = write(tmp_path / 'faces.csv', 'emotion,pixels,Usage', f'3,{PIXELS},Training')
    header = 'Usage,Image name,' + ','.join(VOTE_COLUMNS)
    votes = write(tmp_path / 'votes.csv', header, 'Training,,0,0,0,0,0,0,0,9,1,0')
    assert read_faces(faces, votes).votes[0, EMOTIONS.index('contempt')] == 1.0
    more = write(tmp_path / 'more.csv', header, *['Training,,9,0,0,0,0,0,0,0,1,0'] * 2)
    with pytest.raises(DataError, match=r'has 2 rows, .* has 1'):
        read_faces(faces, more)


@pytest.mark.parametrize('count', ['-1', '1001', '9' * 30, '9' * 5000, 'x', ''])
def test_votes_that_are_no_counts_are_named_with_their_line(tmp_path: Path, count: str) -> None:
    header = 'Usage,Image name,' + ','.join(VOTE_COLUMNS)
    votes = write(tmp_path / 'votes.csv', header, f'Training,,{count},0,0,0,0,0,0,9,1,0')
    with pytest.raises(DataError, match='line 2: votes must be'):
        read_votes(votes)


def save_npz(folder: Path, **changes: np.ndarray) -> Path:
    arrays = {
        'images': np.zeros((4, 48, 48), np.uint8),
        'labels': np.array([0, 1, 2, 6], np.uint8),
        'usage': np.array([0, 0, 1, 2], np.uint8),
        **changes,
    }
    np.savez(folder / 'a.npz', **{k: v for k, v in arrays.items() if v is not None})
    return folder / 'a.npz'


def test_an_npz_is_read(tmp_path: Path) -> None:
    faces = read_npz(save_npz(tmp_path))
    assert faces.split('training').labels.tolist() == [0, 1]
    assert faces.counts()['private_test']['neutral'] == 1
    assert faces.targets('ferplus').sum() == 0


@pytest.mark.parametrize(
    'changes, message',
    [
        pytest.param({'labels': None}, "array 'labels' is missing", id='no labels'),
        pytest.param({'labels': np.array([0, 1, 2, 7])}, 'labels must be 0 to 6', id='label 7'),
        pytest.param({'labels': np.array([0.5] * 4)}, 'whole numbers', id='fractions'),
        pytest.param({'usage': np.zeros(3, np.uint8)}, 'usage must be 4', id='too few'),
        pytest.param({'images': np.zeros((4, 48, 40), np.uint8)}, 'images must be', id='shape'),
        pytest.param({'ferplus': np.zeros((4, 10), np.uint8)}, 'ferplus_names', id='no names'),
        pytest.param(
            {'ferplus': np.zeros((4, 10)), 'ferplus_names': np.array(['a'] * 10)},
            'whole numbers per face',
            id='fractions of votes',
        ),
        pytest.param(
            {'ferplus': np.zeros((4, 10), np.uint8), 'ferplus_names': np.array('a')},
            'and 1 names',
            id='one name',
        ),
    ],
)
def test_a_bad_npz_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_npz(save_npz(tmp_path, **changes))


def test_a_damaged_npz_is_refused(tmp_path: Path) -> None:
    path = save_npz(tmp_path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match='cannot be read'):
        read_npz(path)


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.npz'
    with zipfile.ZipFile(path, 'w') as archive:
        for name in ('images', 'labels', 'usage'):
            archive.writestr(f'{name}.npy', b'hello')
    with pytest.raises(DataError, match='images must be'):
        read_npz(path)


def save_face(path: Path, level: int, size: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    face = np.full((size, size), level, np.uint8)
    face[size // 2 :] += 4  # flat ones are left out
    cv2.imwrite(str(path), face)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    save_face(tmp_path / 'happiness' / '1.png', 10)
    save_face(tmp_path / 'happiness' / '2.png', 20, size=100)
    save_face(tmp_path / 'Sad' / '1.png', 30)
    return tmp_path


def test_class_folders_are_read_in_the_field_s_words(folders: Path) -> None:
    faces = read_folder(folders, default_split='private_test')
    assert [EMOTIONS[label] for label in faces.labels] == ['sad', 'happy', 'happy']
    assert faces.images[:, 0, 0].tolist() == [30, 10, 20]
    assert set(faces.splits) == {2}
    np.testing.assert_array_equal(faces.targets('ferplus').argmax(axis=1), faces.labels)


def test_split_folders_and_a_label_map_are_followed(tmp_path: Path) -> None:
    save_face(tmp_path / 'train' / 'grin' / '1.png', 1)
    save_face(tmp_path / 'train' / 'odd' / '1.png', 1)
    save_face(tmp_path / 'test' / 'angry' / '1.png', 2)
    faces = read_folder(tmp_path, {'grin': 'happy', 'odd': ''})
    assert faces.splits.tolist() == [2, 0]
    assert [EMOTIONS[label] for label in faces.labels] == ['angry', 'happy']


def only_bright(image: np.ndarray) -> np.ndarray | None:
    return image[:, :, 0] if image.mean() > 15 else None


@pytest.mark.parametrize(
    'spoil, cut, message',
    [
        pytest.param(lambda p: (p / 'joyful').mkdir(), None, "label 'joyful'", id='unknown label'),
        pytest.param(lambda p: (p / 'fear').mkdir(), None, 'no face .no file', id='empty'),
        pytest.param(
            lambda p: save_face(p / 'fear' / '1.png', 1),
            only_bright,
            'no face .1 without a face',
            id='found',
        ),
    ],
)
def test_a_bad_folder_is_named(
    folders: Path,
    spoil: Callable[[Path], None],
    cut: Callable[[np.ndarray], np.ndarray | None] | None,
    message: str,
) -> None:
    spoil(folders)
    with pytest.raises(DataError, match=message):
        read_folder(folders, cut=cut)


def test_files_that_hold_no_face_are_counted(folders: Path) -> None:
    sad = folders / 'Sad'
    (sad / 'damaged.png').write_text('no image')
    (sad / 'empty.png').touch()
    for name in ('IMG_1.CR3', 'IMG_2.CR3', '._IMG_1.png', '.DS_Store'):
        (sad / name).write_bytes(b'x')
    (sad / '.thumbnails').mkdir()
    save_face(sad / '.thumbnails' / '1.png', 9)
    cv2.imwrite(str(sad / 'black.png'), np.zeros((48, 48), np.uint8))
    faces = read_folder(folders)
    assert faces.left_out == {'sad': {'.cr3': 2, 'damaged': 2, 'flat': 1}}
    assert faces.summary() == [
        'happy: 2 faces',
        'sad: 1 face; 5 files left out (2 .cr3, 1 flat, 2 damaged)',
    ]


def test_classes_of_one_s_own_come_after_the_known_ones(folders: Path) -> None:
    save_face(folders / 'bored' / '1.png', 50)
    assert class_folders(folders) == ['sad', 'bored', 'happy']
    faces = read_folder(folders, own_classes=('bored',))
    assert faces.classes == (*EMOTIONS, 'bored')
    assert faces.labels.tolist() == [4, 8, 3, 3]
    np.testing.assert_array_equal(
        faces.targets('ferplus', ('happy', 'bored')), [[0, 0], [0, 1], [1, 0], [1, 0]]
    )


def test_a_path_that_is_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='does not exist'):
        read_faces(tmp_path / 'gone.npz')
    with pytest.raises(DataError, match=r'expected a \.npz'):
        read_faces(write(tmp_path / 'a.txt', 'x'))


def test_targets_of_chosen_labels_leave_other_faces_out() -> None:
    count = 3
    faces = FaceSet(
        'a',
        np.zeros((count, 48, 48), np.uint8),
        np.zeros(count, np.uint8),
        np.array([3, 4, -1]),
        np.zeros((count, 8), np.float32),
    )
    assert faces.targets('fer2013', ('sad', 'happy')).tolist() == [[0, 1], [1, 0], [0, 0]]
    with pytest.raises(ValueError, match='expected one of fer2013, ferplus'):
        faces.targets('votes')
    with pytest.raises(DataError, match="no face in split 'public_test'"):
        faces.split('public_test')


@pytest.mark.parametrize(
    'votes, labels, expected',
    [
        pytest.param([0, 8, 0, 0, 0, 0, 0, 0, 2, 0], (), 'happy', id='clear'),
        pytest.param([5, 0, 0, 5, 0, 0, 0, 0, 0, 0], (), 'neutral', id='tie'),
        pytest.param([0, 0, 0, 5, 5, 0, 0, 0, 0, 0], (), 'sad', id='tie against our order'),
        pytest.param([0, 0, 0, 5, 5, 0, 0, 0, 0, 0], ('angry', 'sad'), 'sad', id='of two classes'),
        pytest.param([9, 0, 0, 0, 0, 0, 0, 0, 0, 0], ('angry', 'sad'), None, id='another class'),
        pytest.param([0, 0, 0, 0, 5, 0, 0, 0, 5, 0], (), 'angry', id='tie with unknown'),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], (), None, id='no face'),
    ],
)
def test_of_tied_votes_the_first_of_ferplus_columns_counts(
    votes: list[int], labels: tuple[str, ...], expected: str | None
) -> None:
    faces = FaceSet(
        'a',
        np.zeros((1, 48, 48), np.uint8),
        np.zeros(1, np.uint8),
        np.array([-1]),
        vote_shares(np.array([votes]), VOTE_COLUMNS),
    )
    result = faces.class_targets('ferplus', labels)[0]
    assert (None if result == -1 else (labels or EMOTIONS)[result]) == expected
    assert faces.class_targets('fer2013')[0] == -1


def test_faces_that_occur_elsewhere_are_found_by_their_pixels() -> None:
    first = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2)
    assert occurs_in(first, first[1:2]).tolist() == [False, True, False]
    assert occurs_in(first, first[:0]).tolist() == [False, False, False]


def test_fer2013_is_read_whole(shared: Path) -> None:
    faces = read_npz(shared / 'data' / 'fer2013.npz')
    assert [int((faces.splits == split).sum()) for split in range(3)] == [28709, 3589, 3589]
    assert faces.counts()['training']['disgust'] == 436
    private, training = faces.split('private_test'), faces.split('training')
    assert int(occurs_in(private.images, training.images).sum()) == 288
