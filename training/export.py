# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m training.export``: see training.emotion.export."""

import sys

from training.emotion.export import main

if __name__ == '__main__':
    sys.exit(main())
