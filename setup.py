# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Installs fer_ros, as an ament_python package with colcon or as a plain one with pip."""

import sys
import sysconfig
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'fer_ros'
SHARE = f'share/{NAME}'
IS_WHEEL = bool({'bdist_wheel', 'editable_wheel', 'dist_info'} & set(sys.argv))
NODES = ('bag_player_node', 'bag_recorder_node', 'camera_node', 'emotion_node', 'hri_bridge_node',
         'multi_emotion_node')  # fmt: skip


def files(pattern: str) -> list[str]:
    """Return the files that match, as setuptools wants them."""
    return sorted(str(path) for path in Path().glob(pattern) if path.is_file())


def extra(name: str) -> list[str]:
    """Return what requirements/NAME.txt pins as lower bounds, to fit beside other packages."""
    lines = Path('requirements', f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.replace('==', '>=', 1) for line in lines if line and not line.startswith('#')]


def opencv() -> list[str]:
    """Return the build of OpenCV to require: none where one of its four is installed.

    They overwrite each other's files: headless installed beside opencv-python takes the windows
    away from whoever shows images in the same environment.
    """
    places = {sysconfig.get_paths()[kind] for kind in ('purelib', 'platlib')}
    is_there = any(Path(place, 'cv2').is_dir() for place in places)
    return [] if is_there else ['opencv-python-headless>=4.8,<5']


setup(
    name=NAME,
    version='0.2.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed', 'models/*', 'dashboard/*', 'nodes/*.xml']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/launch', files('launch/*.launch.py')),
        (f'{SHARE}/config', files('config/*') + files('config/security/*')),
        (f'{SHARE}/rviz', files('rviz/*')),
        # setup.cfg sends colcon's scripts to lib/fer_ros, for ros2 run; fer is for the path.
        *([] if IS_WHEEL else [('bin', ['scripts/fer'])]),
    ],
    python_requires='>=3.10',
    install_requires=[
        'ai-edge-litert>=2.0,<2.2',  # later ones need NumPy 2
        'numpy>=1.26',
        'psutil>=5.9',
        'PyYAML>=6',
        'rich>=13',
        'rosbags>=0.11',
        *opencv(),
    ],
    extras_require={
        'dashboard': extra('dashboard'),
        'evaluate': ['matplotlib>=3.8'],
        'heic': ['pillow-heif>=0.18'],
        'ros': extra('ros-jazzy'),
        # By this, colcon test takes pytest.
        'test': ['hypothesis>=6', 'pytest>=7.4'],
        'train': extra('train'),
    },
    zip_safe=False,
    maintainer='fer_ros maintainers',
    maintainer_email='maintainers@fer-ros.dev',
    description='Facial emotion recognition for robots',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'fer = fer_ros.cli:main',
            *(f'{node} = fer_ros.programs:{node}' for node in NODES),
        ],
    },
)
