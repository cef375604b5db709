# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m training from_litert``, by the name it had before 0.2.0."""

import sys

from training.__main__ import main

if __name__ == '__main__':
    sys.exit(main(['from_litert', *sys.argv[1:]]))
