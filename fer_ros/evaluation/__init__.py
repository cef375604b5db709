# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good the predictions are: metrics, robustness, data sets, reports; numpy and OpenCV only."""
