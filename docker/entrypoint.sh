#!/usr/bin/env bash
# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command with the workspace's environment.
set -eo pipefail
source /ws/install/setup.bash
exec "$@"
