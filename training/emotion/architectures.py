# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name; all give logits and hold no preprocessing.

Each is a function from the input tensor (N, S, S, channels) and the number of columns to float32
logits (N, columns); its other arguments are the architecture's options, of which *dropout* acts
before the classifier. They are plain Keras 3, so that weights trained under one backend load under
every other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from fer_ros.errors import ConfigError


def build_model(
    name: str,
    columns: int,
    channels: int = 1,
    options: dict[str, Any] | None = None,
    size_px: int | None = None,
) -> keras.Model:
    """Return a new network.

    Args:
        name: one of ARCHITECTURES.
        columns: number of logits (all heads side by side).
        channels: 1 grey or 3 BGR.
        options: keyword arguments of the architecture's function.
        size_px: side of the input; None lets it vary (faces of growing size in training).

    Raises:
        ConfigError: there is no such architecture or option, or its weights cannot be had.
    """
    if name not in ARCHITECTURES:
        known = ', '.join(ARCHITECTURES)
        raise ConfigError(f'no architecture is called {name!r}; there are: {known}')
    build = ARCHITECTURES[name]
    parameters = list(inspect.signature(build).parameters)[2:]
    for option in options or {}:
        if option not in parameters:
            known = ', '.join(parameters)
            raise ConfigError(f'architecture {name} has no option {option!r}; it has: {known}')
    inputs = keras.Input((size_px, size_px, channels), name='face')
    return keras.Model(inputs, build(inputs, columns, **(options or {})), name=name)


def baseline_cnn(
    inputs: Any,
    columns: int,
    widths: Sequence[int] = (32, 64, 128),
    hidden: int = 256,
    dropout: float = 0.5,
) -> Any:
    """Build what most tutorials on FER2013 train; S is fixed, for *hidden* sees every position.

    Each of *widths* is a pair of 3x3 convolutions that ends at half the resolution.
    """
    x = inputs
    for width in widths:
        x = _conv_bn(_conv_bn(x, width, 3), width, 3)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dense(hidden, activation='relu')(layers.Flatten()(x))
    x = layers.Dropout(dropout)(x)
    return layers.Dense(columns, dtype='float32', name='logits')(x)


def mini_xception(
    inputs: Any, columns: int, widths: Sequence[int] = (16, 32, 64, 128), dropout: float = 0.0
) -> Any:
    """Build mini-XCEPTION (arXiv 1710.07557): what most robots with an emotion model run today.

    Each of *widths* is a module of separable convolutions that halves the resolution.
    """
    x = _conv_bn(_conv_bn(inputs, 8, 3), 8, 3)
    for width in widths:
        # Every second pixel, then a convolution: oneDNN crashes on 1x1 kernels of stride 2 when
        # the number of faces is odd.
        around = _conv_bn(layers.MaxPooling2D(1, strides=2)(x), width, 1, activation=None)
        x = layers.Activation('relu')(_separable(x, width))
        x = layers.MaxPooling2D(3, strides=2, padding='same')(_separable(x, width))
        x = layers.Add()([x, around])
    return _classifier(x, columns, dropout)


def residual(
    inputs: Any,
    columns: int,
    widths: Sequence[int] = (64, 128, 256),
    blocks: Sequence[int] = (1, 2, 2),
    stem: int = 32,
    stem_blocks: int = 0,
    squeeze: int = 8,
    dropout: float = 0.3,
) -> Any:
    """Build our own network: 3x3 residual blocks with squeeze-excitation, S at least 32.

    Resolution is given up early and width late: few convolutions see all 48x48 pixels, most blocks
    run at 24, 12 and 6, which is where a processor spends its time best.

    Args:
        inputs: (N, S, S, channels).
        columns: number of logits.
        widths: channels of each stage; a stage starts by halving the resolution.
        blocks: residual blocks of each stage.
        stem: channels of the first convolution.
        stem_blocks: residual blocks of that width before the resolution is halved.
        squeeze: squeeze-excitation narrows channels by this factor; 0 for none.
        dropout: before the classifier.
    """
    x = _conv_bn(inputs, stem, 3)
    for _ in range(stem_blocks):
        x = _residual_block(x, stem, squeeze)
    for width, count in zip(widths, blocks, strict=True):
        x = layers.MaxPooling2D(2)(x)
        for _ in range(count):
            x = _residual_block(x, width, squeeze)
    return _classifier(x, columns, dropout)


def mobilenet_v3(
    inputs: Any, columns: int, weights: str = '', alpha: float = 1.0, dropout: float = 0.2
) -> Any:
    """Build MobileNetV3-Small (arXiv 1905.02244), the usual choice for phones.

    *alpha* is a factor of all widths (0.75 and 1.0 have ImageNet weights), *weights* empty for
    none, 'imagenet', or the path of a weights file of the network without top; so for the others.
    """
    options = {'alpha': alpha, 'include_preprocessing': False}
    return _on_backbone('MobileNetV3Small', inputs, columns, weights, dropout, options)


def efficientnet(inputs: Any, columns: int, weights: str = '', dropout: float = 0.2) -> Any:
    """Build EfficientNetV2-B0 (arXiv 2104.00298)."""
    options = {'include_preprocessing': False}
    return _on_backbone('EfficientNetV2B0', inputs, columns, weights, dropout, options)


def resnet50(inputs: Any, columns: int, weights: str = '', dropout: float = 0.2) -> Any:
    """Build ResNet50 (arXiv 1512.03385), for teachers."""
    return _on_backbone('ResNet50', inputs, columns, weights, dropout, {})


ARCHITECTURES: dict[str, Callable[..., Any]] = {
    build.__name__: build
    for build in (baseline_cnn, mini_xception, residual, mobilenet_v3, efficientnet, resnet50)
}


def _on_backbone(
    name: str, inputs: Any, columns: int, weights: str, dropout: float, options: dict[str, Any]
) -> Any:
    """Return logits on the features of a network of keras.applications; S is at least 32."""
    from_file = weights not in ('', 'imagenet')
    if weights and inputs.shape[-1] != 3:
        raise ConfigError(f'weights {weights!r} need colour input: set model.channels to 3')
    if from_file and not Path(weights).is_file():
        raise ConfigError(f'weights file {weights} does not exist')
    options |= {'include_top': False, 'input_shape': tuple(inputs.shape[1:])}
    options['weights'] = 'imagenet' if weights == 'imagenet' else None
    try:
        backbone = getattr(keras.applications, name)(**options)
        if from_file:
            backbone.load_weights(weights)
    except Exception as error:  # a download or a file can fail in any library below Keras
        if not weights:
            raise
        raise ConfigError(
            f'weights {weights!r} of {name} cannot be had: {error}; without a network '
            'give the path of a weights file, or leave weights empty to start from nothing'
        ) from error
    # Momenta of up to 0.999 are meant for millions of steps; after hundreds a model would still
    # use the statistics it started from.
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = min(layer.momentum, 0.9)
    return _classifier(backbone(inputs), columns, dropout)


def _conv_bn(x: Any, width: int, size: int, activation: str | None = 'relu') -> Any:
    """Return a convolution without bias, batch normalisation and an activation."""
    x = layers.Conv2D(
        width, size, padding='same', use_bias=False, kernel_initializer='he_normal'
    )(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation(activation)(x) if activation else x


def _separable(x: Any, width: int) -> Any:
    """Return a depthwise-separable convolution and batch normalisation."""
    x = layers.SeparableConv2D(width, 3, padding='same', use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def _residual_block(x: Any, width: int, squeeze: int) -> Any:
    """Return two 3x3 convolutions and the way around them (arXiv 1512.03385, 1709.01507)."""
    y = _conv_bn(x, width, 3)
    y = _conv_bn(y, width, 3, activation=None)
    if squeeze:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Dense(max(8, width // squeeze), activation='relu')(gate)
        gate = layers.Dense(width, activation='sigmoid')(gate)
        y = layers.Multiply()([y, gate])
    if x.shape[-1] != width:
        x = _conv_bn(x, width, 1, activation=None)
    return layers.Activation('relu')(layers.Add()([x, y]))


def _classifier(x: Any, columns: int, dropout: float) -> Any:
    """Return float32 logits (N, columns) from features (N, H, W, C)."""
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(columns, dtype='float32', name='logits')(x)
