# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast it is: measured against its own parts and against others, on the same images."""
