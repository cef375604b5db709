# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Installs fer_ros as an ament_python package."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = 'fer_ros'
SHARE = f'share/{NAME}'


def files(pattern: str) -> list[str]:
    """Return the files that match, as setuptools wants them."""
    return sorted(str(path) for path in Path().glob(pattern) if path.is_file())


setup(
    name=NAME,
    version='0.2.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['models/*', 'dashboard/*', 'nodes/*.xml']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/launch', files('launch/*.launch.py')),
        (f'{SHARE}/config', files('config/*') + files('config/security/*')),
        (f'{SHARE}/rviz', files('rviz/*')),
        ('bin', ['scripts/fer']),
    ],
    zip_safe=False,
    maintainer='fer_ros maintainers',
    maintainer_email='maintainers@fer-ros.dev',
    description='Facial emotion recognition for robots',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'bag_player_node = fer_ros.nodes.bag_player_node:main',
            'bag_recorder_node = fer_ros.nodes.bag_recorder_node:main',
            'camera_node = fer_ros.nodes.camera_node:main',
            'emotion_node = fer_ros.nodes.emotion_node:main',
            'hri_bridge_node = fer_ros.nodes.hri_bridge_node:main',
            'multi_emotion_node = fer_ros.nodes.multi_emotion_node:main',
        ],
    },
)
