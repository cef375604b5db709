# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Installs fer_ros as an ament_python package."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'fer_ros'
SHARE = f'share/{NAME}'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['models/*', 'dashboard/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/launch', glob('launch/*.launch.py')),
        (f'{SHARE}/config', glob('config/*')),
        (f'{SHARE}/rviz', glob('rviz/*')),
        ('bin', ['scripts/fer']),
    ],
    zip_safe=False,
    maintainer='fer_ros maintainers',
    maintainer_email='maintainers@fer-ros.dev',
    description='Facial emotion recognition for robots',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'camera_node = fer_ros.nodes.camera_node:main',
            'emotion_node = fer_ros.nodes.emotion_node:main',
        ],
    },
)
