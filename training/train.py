# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m training.train``: see training.emotion.train."""

import sys

from training.emotion.train import main

if __name__ == '__main__':
    sys.exit(main())
