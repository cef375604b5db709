# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""However many faces others name, what is held for them is bounded, and given back."""

from __future__ import annotations

import pytest

from fer_ros.nodes.per_face import KEPT_S, MAX_FACES, PerFace


@pytest.fixture
def destroyed() -> list[str]:
    return []


@pytest.fixture
def faces(destroyed: list[str]) -> PerFace[str]:
    return PerFace(lambda i: None if '{' in i else f'topic {i}', destroyed.append)


def ids(count: int, first: int = 0) -> list[str]:
    return [f'f{n}' for n in range(first, first + count)]


def test_what_was_made_is_kept_until_some_time_after_the_face_has_gone(
    faces: PerFace[str], destroyed: list[str]
) -> None:
    assert faces.see(['a', 'b', 'a'], 0.0) == {'a': 'topic a', 'b': 'topic b'}
    assert faces.see(['b'], 8.0) == {'b': 'topic b'}
    faces.forget_unseen(KEPT_S)
    assert (destroyed, faces.get('a')) == ([], 'topic a')
    faces.forget_unseen(KEPT_S + 0.1)
    assert (destroyed, faces.get('a'), len(faces)) == (['topic a'], None, 1)


def test_no_more_than_so_many(faces: PerFace[str], destroyed: list[str]) -> None:
    assert list(faces.see(ids(1000), 0.0)) == ids(MAX_FACES)
    assert (faces.left_out, len(faces)) == (1000 - MAX_FACES, MAX_FACES)
    assert faces.see(['f0'], 1.0) == {'f0': 'topic f0'}
    assert faces.left_out == 0
    # New faces take the places of those that were unseen for longest.
    assert list(faces.see(['n1', 'n2', 'f0'], 2.0)) == ['n1', 'n2', 'f0']
    assert (destroyed, len(faces)) == (['topic f1', 'topic f2'], MAX_FACES)


def test_everybody_new_takes_every_place(faces: PerFace[str], destroyed: list[str]) -> None:
    faces.see(ids(MAX_FACES), 0.0)
    assert list(faces.see(ids(MAX_FACES, 500), 1.0)) == ids(MAX_FACES, 500)
    assert (len(destroyed), len(faces)) == (MAX_FACES, MAX_FACES)


def test_an_id_for_which_nothing_can_be_made(faces: PerFace[str]) -> None:
    assert faces.see(['{x}', 'a'], 0.0) == {'a': 'topic a'}
