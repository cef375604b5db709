# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""emotion_node in a process of its own, over real DDS."""

from __future__ import annotations

import array
from collections.abc import Callable

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue, SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray, LabelInfo

from fer_msgs.msg import EmotionArray
from fer_msgs.srv import Classify, SetModel
from fer_ros.config import EmotionNodeConfig, PipelineConfig, flatten
from fer_ros.nodes.emotion_node import EmotionNode

NOBODY = np.full((240, 320, 3), 90, np.uint8)


@pytest.fixture
def publish(listener, start) -> Callable:
    """Start the node and return a function that shows it an image and returns the result."""
    node = start('emotion_node')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    results = listener.collect(EmotionArray, 'emotions')
    listener.until(
        lambda: publisher.get_subscription_count() and listener.count_publishers('emotions'),
        'the node to subscribe',
    )

    def show(pixels: np.ndarray) -> EmotionArray:
        """Best effort may lose an image: show it anew until it is processed."""
        sent: list[Image] = []

        def arrived() -> EmotionArray | None:
            known = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in sent}
            for result in results:
                if (result.header.stamp.sec, result.header.stamp.nanosec) in known:
                    return result
            sent.append(listener.image(pixels, frame_id='head_camera'))
            publisher.publish(sent[-1])
            return None

        return listener.until(arrived, 'a result')

    show.publisher = publisher
    show.node = node
    show.results = results
    return show


def test_a_face_is_published_on_both_topics_with_the_images_header(
    listener, publish, astronaut: np.ndarray
) -> None:
    detections = listener.collect(Detection2DArray, 'detections')
    listener.until(lambda: listener.count_publishers('detections'), 'detections')
    result = publish(astronaut)
    assert result.header.frame_id == 'head_camera'
    assert result.image_width == result.image_height == 512
    (emotion,) = result.emotions
    assert emotion.label == 'happy'
    assert emotion.track_id == 1
    assert len(emotion.probabilities) == len(result.labels) == 8
    assert 0.2 < emotion.distance < 2.0
    assert emotion.valence > 0.3
    publish(astronaut)
    first = listener.until(lambda: detections, 'a detection')[0]
    assert result.labels[int(first.detections[0].results[0].hypothesis.class_id)] == 'happy'
    assert first.header.frame_id == 'head_camera'


def test_nobody_in_view_gives_an_empty_result(publish) -> None:
    result = publish(NOBODY)
    assert result.emotions == []
    assert (result.image_width, result.image_height) == (320, 240)


def test_a_late_subscriber_learns_the_labels(listener, publish) -> None:
    publish(NOBODY)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    labels = listener.collect(LabelInfo, 'labels', latched)
    info = listener.until(lambda: labels, 'labels')[0]
    assert [c.class_name for c in info.class_map][:4] == ['angry', 'disgust', 'fear', 'happy']


def test_whoever_comes_late_learns_the_notice(listener, start) -> None:
    start('emotion_node', '-p', 'notice:=Faces are read here.')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    listener.until(lambda: listener.count_publishers('emotion_node/notice'), 'the topic')
    notices = listener.collect(String, 'emotion_node/notice', latched)
    listener.until(lambda: [m.data for m in notices] == ['Faces are read here.'], 'the notice')
    change = Parameter('notice', value='Faces are read here until six.').to_parameter_msg()
    request = SetParameters.Request(parameters=[change])
    response = listener.call(SetParameters, 'emotion_node/set_parameters', request)
    assert response.results[0].successful
    listener.until(lambda: notices[-1].data.endswith('until six.'), 'the changed notice')


def test_the_annotated_image_comes_while_somebody_looks(
    listener, publish, astronaut: np.ndarray
) -> None:
    publish(astronaut)
    drawn = listener.collect(Image, 'image_annotated')
    listener.until(lambda: listener.count_subscribers('image_annotated'), 'a subscription')

    def arrived() -> bool:
        publish(astronaut)
        return bool(drawn)

    listener.until(arrived, 'an annotated image')
    assert (drawn[0].width, drawn[0].height, drawn[0].encoding) == (512, 512, 'bgr8')
    pixels = np.frombuffer(drawn[0].data, np.uint8).reshape(512, 512, 3)
    assert 0 < (pixels != astronaut).any(axis=2).mean() < 0.5


def values(diagnostics: list[DiagnosticArray]) -> dict[str, str]:
    return {v.key: v.value for v in diagnostics[-1].status[0].values} if diagnostics else {}


def test_bad_images_are_counted_and_the_next_good_one_is_processed(
    listener, publish, astronaut: np.ndarray
) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    bad = [
        Image(encoding='magic', width=2, height=2, step=6, data=array.array('B', bytes(12))),
        Image(encoding='bgr8', width=640, height=480, step=1920, data=array.array('B', bytes(9))),
        Image(encoding='bgr8', width=0, height=0),
        Image(header=Header(frame_id='f' * 1_000_000), encoding='bgr8', width=1, height=1, step=3),
        Image(encoding='e' * 1_000_000, width=1, height=1),
    ]

    def counted(problem: str) -> bool:
        return problem in values(diagnostics).get('last bad frame', '')

    problems = (
        "'magic' is not known",
        'data holds 9 bytes',
        '0x0 pixels',
        'frame_id has 1000000 characters',
        "eee' is not known",
    )
    for message, problem in zip(bad, problems):
        while not counted(problem):
            publish.publisher.publish(message)
            before = len(diagnostics)
            listener.until(lambda n=before: len(diagnostics) > n, 'diagnostics')
    assert int(values(diagnostics)['bad frames']) >= 3
    assert publish(astronaut).emotions[0].label == 'happy'
    assert max(map(len, values(diagnostics).values())) <= 200
    assert len(publish.node.output) < 20_000


def test_diagnostics_tell_what_runs(listener, publish) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    publish(NOBODY)
    told = listener.until(
        lambda: values(diagnostics) if 'latency median (ms)' in values(diagnostics) else None,
        'latencies',
    )
    assert told['state'] == 'active'
    assert told['backend'].startswith('LiteRT')
    assert int(told['processed frames']) >= 1


def change_state(listener, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return listener.call(ChangeState, 'emotion_node/change_state', request).success


def state(listener) -> str:
    return listener.call(GetState, 'emotion_node/get_state', GetState.Request()).current_state.label


def test_only_an_active_node_processes_images(listener, start, astronaut: np.ndarray) -> None:
    node = start('emotion_node', '-p', 'autostart:=false')
    transitions = (
        (None, 'unconfigured'),
        (Transition.TRANSITION_CONFIGURE, 'inactive'),
        (Transition.TRANSITION_INACTIVE_SHUTDOWN, 'finalized'),
    )
    for transition, name in transitions:
        if transition is not None:
            assert change_state(listener, transition)
        assert state(listener) == name
        for kind, service, request in (
            (Classify, 'classify', Classify.Request(image=listener.image(astronaut))),
            (SetModel, 'set_model', SetModel.Request(model='default')),
            (SetBool, 'enable', SetBool.Request(data=True)),
        ):
            result = listener.call(kind, f'emotion_node/{service}', request)
            assert not result.success, (name, service)
            assert f'the node is {name}, not active' in result.message
    assert 'Traceback' not in node.output


def test_a_paused_node_says_so(listener, publish, astronaut: np.ndarray) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    publish(astronaut)
    listener.until(lambda: values(diagnostics).get('faces') == '1', 'a face')
    assert listener.call(SetBool, 'emotion_node/enable', SetBool.Request(data=False)).success
    listener.until(lambda: values(diagnostics).get('state') == 'paused by ~/enable', 'the pause')
    assert values(diagnostics)['faces'] == '0'
    assert diagnostics[-1].status[0].message == 'paused by ~/enable'


def test_silence_is_also_said_on_the_console(listener, start) -> None:
    node = start('emotion_node')
    listener.until(lambda: 'no images: nobody publishes /image' in node.output, 'a warning')


def test_lifecycle_without_autostart(listener, start, astronaut: np.ndarray) -> None:
    start('emotion_node', '-p', 'autostart:=false')
    assert state(listener) == 'unconfigured'
    assert change_state(listener, Transition.TRANSITION_CONFIGURE)
    assert state(listener) == 'inactive'
    assert listener.count_subscribers('image') == 0
    assert change_state(listener, Transition.TRANSITION_ACTIVATE)
    listener.until(lambda: listener.count_subscribers('image'), 'the subscription')
    assert change_state(listener, Transition.TRANSITION_DEACTIVATE)
    listener.until(lambda: not listener.count_subscribers('image'), 'the subscription to go')
    assert change_state(listener, Transition.TRANSITION_CLEANUP)
    listener.until(lambda: not listener.count_publishers('emotions'), 'the publisher to go')
    assert change_state(listener, Transition.TRANSITION_CONFIGURE)
    assert change_state(listener, Transition.TRANSITION_ACTIVATE)
    assert state(listener) == 'active'


def set_parameter(listener, name: str, value: object) -> SetParametersResult:
    kinds = {
        bool: ('bool_value', ParameterType.PARAMETER_BOOL),
        int: ('integer_value', ParameterType.PARAMETER_INTEGER),
        float: ('double_value', ParameterType.PARAMETER_DOUBLE),
        str: ('string_value', ParameterType.PARAMETER_STRING),
    }
    field, kind = kinds[type(value)]
    parameter = ParameterMessage(name=name, value=ParameterValue(type=kind, **{field: value}))
    request = SetParametersAtomically.Request(parameters=[parameter])
    return listener.call(
        SetParametersAtomically, 'emotion_node/set_parameters_atomically', request
    ).result


def test_parameters_while_running(listener, publish, astronaut: np.ndarray) -> None:
    assert publish(astronaut).emotions[0].label == 'happy'
    # A label that was taken is only given up below the threshold less this margin.
    assert set_parameter(listener, 'smoothing.unknown_hysteresis', 0.0).successful
    assert set_parameter(listener, 'smoothing.min_label_s', 0.0).successful
    assert set_parameter(listener, 'classification.unknown_threshold', 1.0).successful
    assert publish(astronaut).emotions[0].label == 'unknown'
    assert set_parameter(listener, 'classification.unknown_threshold', 0).successful
    assert publish(astronaut).emotions[0].label == 'happy'
    for name, value, reason in (
        ('detection.min_face_px', 3, 'min_face_px'),
        ('detection.score_threshold', 'high', 'detection.score_threshold'),
        ('detection.backend', 'magic', 'one of builtin, yunet, haar'),
        ('detection.threads', 1, 'deactivate and clean it up first'),
    ):
        result = set_parameter(listener, name, value)
        assert not result.successful
        assert reason in result.reason, (name, result.reason)


def test_every_setting_is_a_parameter_with_its_default_and_description(
    ros_environment: None,
) -> None:
    rclpy.init()
    node = EmotionNode(parameter_overrides=[Parameter('autostart', value=False)])
    for name, (default, item) in {
        **flatten(EmotionNodeConfig()),
        **flatten(PipelineConfig()),
    }.items():
        if name != 'autostart':
            assert node.get_parameter(name).value == default, name
        assert node.describe_parameter(name).description == item.metadata['description']
    node.destroy_node()
    rclpy.shutdown()


@pytest.mark.parametrize(
    'parameter, message',
    [
        pytest.param('detection.min_face_px:=3', 'min_face_px', id='out of range'),
        pytest.param('detection.backend:=magic', 'one of builtin, yunet, haar', id='choice'),
        pytest.param('detection.score_threshold:=high', 'score_threshold', id='type'),
        pytest.param('classification.model:=/gone.json', '/gone.json does not exist', id='model'),
        pytest.param('autostart:=7', 'autostart', id='type of a switch'),
    ],
)
def test_a_wrong_parameter_at_the_start_is_one_sentence(
    refusal, parameter: str, message: str
) -> None:
    assert message in refusal(EmotionNode, '-p', parameter)


def test_classify_reads_a_single_image(listener, publish, astronaut: np.ndarray) -> None:
    request = Classify.Request(image=listener.image(astronaut, 'photo'))
    # On a busy machine the request is sent again, and the node says that it is busy.
    response = listener.call(Classify, 'emotion_node/classify', request)
    while 'busy' in response.message:
        response = listener.call(Classify, 'emotion_node/classify', request)
    assert response.success
    assert response.emotions.header.frame_id == 'photo'
    assert response.emotions.emotions[0].label == 'happy'
    request.image.encoding = 'magic'
    response = listener.call(Classify, 'emotion_node/classify', request)
    assert not response.success
    assert "'magic' is not known" in response.message


def test_enable_closes_and_opens_the_eyes(listener, publish, astronaut: np.ndarray) -> None:
    publish(astronaut)
    assert listener.call(SetBool, 'emotion_node/enable', SetBool.Request(data=False)).success
    listener.until(lambda: not listener.count_subscribers('image'), 'the subscription to go')
    assert listener.call(SetBool, 'emotion_node/enable', SetBool.Request(data=True)).success
    assert publish(astronaut).emotions[0].label == 'happy'


def test_a_reliable_publisher_is_accepted_too(listener, start, astronaut: np.ndarray) -> None:
    start('emotion_node')
    results = listener.collect(EmotionArray, 'emotions')
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    publisher = listener.create_publisher(Image, 'image', qos)

    def shown() -> bool:
        publisher.publish(listener.image(astronaut))
        return bool(results)

    listener.until(shown, 'a result')
