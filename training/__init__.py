# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of the models that fer_ros ships; imports the core, never the nodes."""
