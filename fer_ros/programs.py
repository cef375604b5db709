# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``ros2 run fer_ros NODE`` starts: the nodes, quietly interruptible while Python imports."""

from __future__ import annotations

import signal
from functools import partial
from importlib import import_module


def run(node: str) -> None:
    """Run a node of this package until it is told to stop."""
    # As long as there is nothing to tidy up, Ctrl-C ends the process and prints nothing; run_node
    # takes it over. Whoever started it may have it ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    import_module(f'fer_ros.nodes.{node}').main()


bag_player_node = partial(run, 'bag_player_node')
bag_recorder_node = partial(run, 'bag_recorder_node')
camera_node = partial(run, 'camera_node')
emotion_node = partial(run, 'emotion_node')
hri_bridge_node = partial(run, 'hri_bridge_node')
multi_emotion_node = partial(run, 'multi_emotion_node')
