# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The live web page: Streamlit pages over the feed that fer_ros.nodes.dashboard_feed fills."""
