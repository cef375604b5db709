# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a shipped network sees in a face, before its last layer names it."""

from __future__ import annotations

import numpy as np

from fer_ros.models.card import EmotionModelCard
from fer_ros.models.interpreter import make_interpreter
from fer_ros.recognition.preprocessing import model_input
from fer_ros.teaching.fit import LastLayer
from fer_ros.teaching.network import features_of, last_layer
from fer_ros.types import Float32Array, UInt8Array

BATCH = 32


class FrozenNetwork:
    """A LiteRT emotion model up to its last layer.

    Attributes:
        card: of the model.
        content: its file.
    """

    def __init__(self, card: EmotionModelCard) -> None:
        """Load the weights.

        Raises:
            ModelError: they are missing or damaged, or do not end in one fully connected layer.
        """
        self.card = card
        self.content = card.weights_path('litert').read_bytes()
        self._kernel, self._bias = last_layer(self.content)
        self._interpreter = make_interpreter(features_of(self.content), threads=2)

    def features(self, faces: UInt8Array) -> Float32Array:
        """Return float32 (N, F) features of uint8 (N, S, S) grey faces."""
        some = [self._features(faces[at : at + BATCH]) for at in range(0, len(faces), BATCH)]
        return np.concatenate(some)

    def _features(self, faces: UInt8Array) -> Float32Array:
        card, network = self.card, self._interpreter
        both = np.concatenate([faces, faces[:, :, ::-1]]) if card.mirror else faces
        inputs = model_input(both, card)
        index = network.get_input_details()[0]['index']
        network.resize_tensor_input(index, inputs.shape)
        network.allocate_tensors()
        network.set_tensor(index, inputs)
        network.invoke()
        result = network.get_tensor(network.get_output_details()[0]['index'])
        return result.reshape(-1, len(faces), result.shape[1]).mean(axis=0)

    def layer_for(self, labels: tuple[str, ...]) -> LastLayer:
        """Return a last layer for *labels* that gives calibrated logits.

        A class that the model knows gets the model's row; one that it does not know begins as the
        mean of those that it does.
        """
        head, columns = self.card.head()
        kernel = self._kernel[:, columns] / head.temperature
        bias = self._bias[columns] / head.temperature
        known = [head.labels.index(label) for label in labels if label in head.labels]
        mean = known or list(range(len(head.labels)))
        places = [[head.labels.index(one)] if one in head.labels else mean for one in labels]
        return LastLayer(
            np.stack([kernel[:, place].mean(axis=1) for place in places], axis=1),
            np.array([bias[place].mean() for place in places], np.float32),
        )
