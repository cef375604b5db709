# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""rclpy's parameter services, which refuse what is no parameter instead of ending the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.parameter import Parameter
from rclpy.parameter_service import ParameterService

from fer_ros.errors import shorten


class ParameterServices(ParameterService):
    """Refuses types that no parameter has (rclpy 7 raises ValueError out of the executor)."""

    def _set_parameters_callback(self, request: Any, response: Any) -> Any:
        response.results = [self._set([message]) for message in request.parameters]
        return response

    def _set_parameters_atomically_callback(self, request: Any, response: Any) -> Any:
        response.result = self._set(request.parameters)
        return response

    def _set(self, messages: Sequence[ParameterMessage]) -> SetParametersResult:
        try:
            parameters = [Parameter.from_parameter_msg(message) for message in messages]
        except ValueError as error:
            return SetParametersResult(reason=shorten(str(error)))
        try:
            return self._get_node().set_parameters_atomically(parameters)
        except ParameterNotDeclaredException as error:
            return SetParametersResult(reason=shorten(str(error)))
