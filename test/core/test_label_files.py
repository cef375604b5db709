# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Label files as Excel, pandas and people write them, and what words for emotions mean."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_ros.data.bag_labels import Span, contradictions, in_recording, read_spans
from fer_ros.data.datasets import read_csv, read_faces
from fer_ros.data.folders import read_folder
from fer_ros.data.label_maps import read_label_map
from fer_ros.data.tables import read_table
from fer_ros.errors import DataError
from fer_ros.labels import EMOTIONS, LABEL_MAPS, SYNONYMS, find_label

HAPPY = (Span(0.0, 0.5, 'happy'),)
HEAD = 'start_s,end_s,label'


@pytest.mark.parametrize(
    'text',
    [
        pytest.param(f'{HEAD}\n0.0,0.5,happy\n', id='plain'),
        pytest.param('start_s;end_s;label\n0.0;0.5;happy\n', id='semicolon'),
        pytest.param('start_s;end_s;label\n0,0;0,5;happy\n', id='decimal comma'),
        pytest.param('start_s\tend_s\tlabel\n0.0\t0.5\thappy\n', id='tab'),
        pytest.param('start_s|end_s|label\n0.0|0.5|happy\n', id='bar'),
        pytest.param('start_s, end_s, label\n0.0, 0.5, "happy"\n', id='space after comma'),
        pytest.param('\ufeffstart_s,end_s,label\r\n0.0,0.5,happy\r\n', id='byte order mark'),
        pytest.param('Start_s,END_S,Label\n0.0,0.5,happy\n', id='capital columns'),
        pytest.param(f'{HEAD}\n0.0,0.5,Happy\n', id='capital word'),
        pytest.param(f'{HEAD}\n0.0,0.5,happiness\n', id='FER+ word'),
        pytest.param(f'{HEAD}\n0.0,0.5,joy\n', id='other word'),
        pytest.param(f'{HEAD}\n0.0,0.5,happy\n,,\n\n', id='empty last rows'),
        pytest.param(f'{HEAD},track_id\n0.0,0.5,happy,nan\n', id='no track'),
        pytest.param(f'{HEAD},note\n0.0,0.5,happy,"a, b"\n', id='more columns'),
        pytest.param(f'{HEAD}\n0.0,0.5,happy\n0.5,0.9,\n0.9,1.0,nan\n', id='rows without a label'),
        pytest.param(f',{HEAD}\n0,0.0,0.5,happy\n', id="pandas' index"),
        pytest.param(f'sep=,\r\n{HEAD}\r\n0.0,0.5,happy\r\n', id="Excel's separator"),
        pytest.param('"sep=;"\nstart_s;end_s;label\n0;0,5;happy\n', id='separator in quotes'),
        pytest.param('start_s;end_s;label\n"0,0";"0,5";"happy"\n', id='decimals in quotes'),
        pytest.param(f'\n# by hand\n\n{HEAD}\n0.0,0.5,happy\n', id='comment and empty lines'),
        pytest.param(f'{HEAD}\r0.0,0.5,happy\r', id='line ends of old Macs'),
        pytest.param(f'{HEAD}\n0.0,0.5,happy\n0.0,0.5,happy\n', id='row twice'),
        pytest.param('label,end_s,start_s\nhappy,5e-1,0\n', id='columns in another order'),
        pytest.param(f'{HEAD},note\n0.0,0.5,happy,“größer”\n', id='other letters'),
        pytest.param(f'{HEAD},note\n0.0,0.5,happy,"two\nlines"\n,,,', id='line end in quotes'),
    ],
)
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32',
                                      'cp1252'])  # fmt: skip
def test_label_files_in_any_dialect(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / 'labels.csv'
    if encoding == 'cp1252':
        text = text.lstrip('\ufeff')
    path.write_bytes(text.encode(encoding))
    assert read_spans(path) == HAPPY


@pytest.mark.parametrize(
    'content, problem',
    [
        pytest.param(f'{HEAD}\n0,0,0,5,happy\n', 'line 2: 5 values in 3 columns; decimal commas',
                     id='decimal commas between commas'),
        pytest.param(f'{HEAD}\n"0","1,234",happy\n', 'line 2: a number with a comma may mean',
                     id='thousands or decimals'),
        pytest.param('start_s;end_s;label\n0;1.234,5;happy\n', r"'1\.234,5' is not a number",
                     id='thousands and decimals'),
        pytest.param(f'{HEAD}\n0,0:05,happy\n', "'0:05' is not a number", id='minutes'),
        pytest.param(f'{HEAD}\n0,1_0,happy\n', "'1_0' is not a number", id="Python's grouping"),
        pytest.param('0,1,happy\n', 'columns start_s, end_s, label are missing; it has 0, 1, happy',
                     id='no names'),
        pytest.param(f'{HEAD}\n', 'no row has a label', id='no rows'),
        pytest.param(f'# mine\n\n{HEAD}\n1,0,happy\n', 'line 4: span from 1', id='line number'),
        pytest.param('PK\x03\x04....', 'is a workbook or an archive: save it as CSV', id='xlsx'),
        pytest.param('\xd0\xcf\x11\xe0....', 'is a workbook', id='xls'),
        pytest.param('', 'are missing; it has none', id='empty'),
        pytest.param(f'{HEAD}\n0,1,happy\n1,2,"sad\n2,3,happy\n',
                     'a quote is opened behind line 2 and never closed', id='open quote'),
        pytest.param(f'{HEAD}\n0,1,heiter\n', r"'heiter': expected .* \(--label-map WORD=LABEL\)",
                     id='other language'),
        pytest.param(f'{HEAD}\n0,,happy\n', "line 2: end_s: '' is not a number", id='no end'),
    ],
)  # fmt: skip
def test_label_files_that_may_mean_two_things_are_refused(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / 'labels.csv'
    path.write_text(content, encoding='latin-1')
    with pytest.raises(DataError, match=problem):
        read_spans(path)


def test_spans_that_contradict_each_other_are_counted() -> None:
    spans = (Span(0, 4, 'happy'), Span(1, 2, 'happy'), Span(3, 5, 'sad'), Span(3, 5, 'fear', 7))
    assert contradictions(spans) == 1
    assert contradictions(spans[:2]) == 0


def test_track_ids_may_be_written_as_pandas_does(tmp_path: Path) -> None:
    path = tmp_path / 'labels.csv'
    path.write_text(f'{HEAD},track_id\n0.0,0.5,happy,2.0\n')
    assert read_spans(path) == (Span(0.0, 0.5, 'happy', 2),)
    path.write_text(f'{HEAD},track_id\n0.0,0.5,happy,2.5\n')
    with pytest.raises(DataError, match=r'line 2: track_id 2\.5: expected a whole number'):
        read_spans(path)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'labels.csv'
    path.write_text(f'{HEAD},label\n0,1,happy,sad\n')
    with pytest.raises(DataError, match='columns label are there twice'):
        list(read_table(path, ('label',)))


def clock(first_s: float, length_s: float) -> SimpleNamespace:
    return SimpleNamespace(start_ns=round(first_s * 1e9), times_s=np.array([0.0, length_s]))


@pytest.mark.parametrize('unit', [1.0, 1e3, 1e6, 1e9], ids=['s', 'ms', 'us', 'ns'])
def test_times_since_1970_are_understood(unit: float) -> None:
    first_s = 1_700_000_000.0
    spans = (Span((first_s + 1) * unit, (first_s + 2) * unit, 'sad'),)
    (span,) = in_recording(spans, clock(first_s, 10.0))
    assert (span.start_s, span.end_s) == (pytest.approx(1, abs=1e-3), pytest.approx(2, abs=1e-3))


def test_labels_that_speak_of_another_time_are_refused() -> None:
    with pytest.raises(DataError, match='none lies in the recording, which lasts 10'):
        in_recording((Span(100, 200, 'sad'),), clock(0.0, 10.0))
    assert in_recording((), clock(0.0, 10.0)) == ()


def test_every_synonym_and_label_map_speaks_of_known_classes() -> None:
    assert set(SYNONYMS.values()) == set(EMOTIONS)
    for label_map in LABEL_MAPS.values():
        assert set(label_map.values()) <= set(EMOTIONS)
    assert set(LABEL_MAPS['affectnet'].values()) == set(EMOTIONS)


@pytest.mark.parametrize(
    'word, label_map, expected',
    [
        pytest.param(' Fearful ', {}, 'fear', id='case and blanks'),
        pytest.param('3', {}, None, id='number'),
        pytest.param('4.0', LABEL_MAPS['rafdb'], 'happy', id='number of pandas'),
        pytest.param('grin', {'Grin': 'happy'}, 'happy', id='map, other case'),
        pytest.param('happy', {'happy': ''}, '', id='left out'),
        pytest.param('happiness', {'happy': 'neutral'}, 'neutral', id='map of a class'),
        pytest.param('bliss', {'happy': ''}, None, id='unknown'),
    ],
)
def test_what_words_mean(word: str, label_map: dict[str, str], expected: str | None) -> None:
    assert find_label(word, label_map) == expected


def test_label_maps_are_names_pairs_or_files(tmp_path: Path) -> None:
    assert read_label_map('rafdb')['4'] == 'happy'
    assert read_label_map('4=happiness, X=,7=Neutral') == {'4': 'happy', 'x': '', '7': 'neutral'}
    (tmp_path / 'map.yaml').write_text('4: happy\nother:\n')
    assert read_label_map(str(tmp_path / 'map.yaml')) == {'4': 'happy', 'other': ''}


@pytest.mark.parametrize(
    'text, problem',
    [
        ('nothing', 'expected one of fer2013, rafdb, affectnet, pairs'),
        ('4=bliss', "'4' means 'bliss', which is none of"),
    ],
)
def test_wrong_label_maps_are_named(text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_label_map(text)


PIXELS = ' '.join(['7'] * 48**2)


@pytest.mark.parametrize(
    'text',
    [
        pytest.param(f'emotion,pixels\n3,{PIXELS}\n', id='without usage'),
        pytest.param(f'\ufeffemotion;pixels;Usage\n3;{PIXELS};Training\n', id='Excel'),
        pytest.param(f'emotion,pixels,Usage\n3.0,{PIXELS},Training\n', id='3.0'),
        pytest.param(f'emotion,pixels,usage\nhappy,{PIXELS},\n', id='word'),
        pytest.param(f'emotion,pixels,usage\n3,{PIXELS},train\n', id='usage in other words'),
        pytest.param(f'emotion,pixels,split\n3,{PIXELS},Training\n', id='split'),
        pytest.param(f'emotion,pixels\n3,"[{PIXELS.replace(" ", ", ")}]"\n', id='list'),
        pytest.param(f'emotion,pixels\n3,{PIXELS.replace("7", "7.0")}\n', id='pixels with .0'),
    ],
)
def test_faces_in_a_csv_of_any_dialect(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'faces.csv'
    path.write_text(text)
    faces = read_csv(path)
    assert (faces.labels.tolist(), faces.splits.tolist()) == ([3], [0])


def test_numbers_in_a_csv_may_mean_something_else(tmp_path: Path) -> None:
    path = tmp_path / 'faces.csv'
    path.write_text(f'emotion,pixels\n4,{PIXELS}\n7,{PIXELS}\n')
    faces = read_faces(path, label_map=LABEL_MAPS['rafdb'])
    assert [EMOTIONS[label] for label in faces.labels] == ['happy', 'neutral']


FACE = np.arange(48 * 48, dtype=np.uint32).reshape(48, 48).astype(np.uint8)


def put(path: Path, suffix: str = '') -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(suffix or path.suffix, FACE)[1].tobytes())


def test_a_folder_of_classes_with_what_else_lies_in_it(tmp_path: Path) -> None:
    put(tmp_path / 'Happiness' / 'a.png')
    put(tmp_path / 'Happiness' / 'b.JFIF', '.jpg')
    put(tmp_path / 'Happiness' / 'c.pgm')
    for hidden in ('._a.png', '.ipynb_checkpoints/a.png', '__MACOSX/a.png', 'Thumbs.db'):
        put(tmp_path / 'Happiness' / hidden, '.png')
    put(tmp_path / '__MACOSX' / 'x.png')
    (tmp_path / 'Happiness' / 'IMG_1.CR3').write_bytes(b'x')
    (tmp_path / 'Happiness' / 'cut.png').write_bytes(b'\x89PNG')
    faces = read_folder(tmp_path)
    assert len(faces) == 3
    assert faces.left_out == {'happy': {'.cr3': 1, 'damaged': 1}}
    assert faces.summary() == ['happy: 3 faces; 2 files left out (1 .cr3, 1 damaged)']


@pytest.mark.parametrize(
    'files, splits',
    [
        pytest.param(['set/happy/a.png', 'set/sad/a.png'], [0, 0], id='unpacked archive'),
        pytest.param(['a/b/train/happy/a.png', 'a/b/test/sad/a.png'], [2, 0], id='two deep'),
        pytest.param(['Training/sad/a.png', 'PublicTest/sad/a.png', 'Private test/sad/a.png'],
                     [2, 1, 0], id="FER2013's words"),
        pytest.param(['dev/sad/a.png', 'TRAIN/sad/a.png'], [0, 1], id='dev'),
        pytest.param(['happy/anna/a.png', 'happy/bert/a.png'], [0, 0], id='a folder per person'),
        pytest.param(['glu\u0308cklich/anna/a.png'], [0], id='names of macOS'),
    ],
)  # fmt: skip
def test_classes_and_splits_are_found_where_they_lie(
    tmp_path: Path, files: list[str], splits: list[int]
) -> None:
    for file in files:
        put(tmp_path / file)
    faces = read_folder(tmp_path, {'glücklich': 'happy'})
    assert sorted(faces.splits.tolist()) == sorted(splits)
    assert faces.left_out == {}


def test_splits_below_classes_are_not_mixed(tmp_path: Path) -> None:
    put(tmp_path / 'happy' / 'test' / 'a.png')
    with pytest.raises(DataError, match='expected SPLIT/LABEL/image, got LABEL/SPLIT'):
        read_folder(tmp_path)


def test_what_belongs_to_no_class_or_leads_elsewhere_is_counted(tmp_path: Path) -> None:
    put(tmp_path / 'set' / 'sad' / 'a.png')
    put(tmp_path / 'set' / 'stray.png')
    (tmp_path / 'set' / 'sad' / 'loop').symlink_to(tmp_path / 'set')
    (tmp_path / 'set' / 'sad' / 'gone.png').symlink_to(tmp_path / 'gone.png')
    left_out = read_folder(tmp_path / 'set').left_out
    assert left_out['sad'] == {'broken link': 1, 'linked folder': 1}
    assert left_out['no class'] == {'beside the class folders': 1}


def test_classes_that_are_numbers_need_a_map(tmp_path: Path) -> None:
    put(tmp_path / '4' / 'a.png')
    with pytest.raises(DataError, match=r'fer2013, rafdb, affectnet: each numbers the classes'):
        read_folder(tmp_path)
    assert read_folder(tmp_path, LABEL_MAPS['rafdb']).labels.tolist() == [3]
