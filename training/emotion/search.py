# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Many runs from one recipe: variants side by side, and a search for good settings."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_tuner
import yaml

from fer_ros.errors import ConfigError, FerError
from fer_ros.measuring.report import table
from training.commands import command, option
from training.emotion import config as configuration
from training.emotion.config import RunConfig
from training.emotion.train import train
from training.engine import settings


def with_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return *config* with 'section.setting' values replaced.

    Raises:
        ConfigError: a setting does not exist or is out of range.
    """
    content = settings.to_mapping(config)
    for name, value in values.items():
        *path, last = name.split('.')
        section = content
        for part in path:
            if not isinstance(section.get(part), dict):
                raise ConfigError(f'space: no setting is called {name!r}')
            section = section[part]
        section[last] = copy.deepcopy(value)
    return configuration.from_mapping(content)


def compare(
    config: RunConfig, variants: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, float]]:
    """Train variants; return {variant: figures} and write them to table.json in *folder*.

    Raises:
        ConfigError: a variant changes a setting that does not exist, or *folder* holds another
            variant of that name.
    """
    found: dict[str, dict[str, float]] = {}
    for name, changes in variants.items():
        print(f'variant {name}: {changes}', flush=True)
        variant = dataclasses.replace(with_values(config, changes or {}), name=name)
        result = train(variant, folder / name, resume=True)
        best = max(result.history, key=lambda row: row['score'])
        found[name] = {
            'parameters': result.model.count_params(),
            'train_s': sum(row['seconds'] for row in result.history),
            **{figure: value for figure, value in best.items() if '/' in figure},
        }
        text = json.dumps(found, indent=2) + '\n'
        (folder / 'table.json').write_text(text, encoding='utf-8')
    return found


def as_markdown(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures as a table, one variant per line."""
    columns = list(next(iter(found.values())))
    return table(
        ('variant', *columns),
        [
            (name, *(f'{row[one]:.4f}' if '/' in one else f'{row[one]:,.0f}' for one in columns))
            for name, row in found.items()
        ],
    )


def check_space(space: Any) -> dict[str, Any]:
    """Return *space* if every entry is a list of choices or {low, high[, log]}.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(space, dict) or not space:
        raise ConfigError('the space must be a mapping from settings to what they may be')
    for name, rule in space.items():
        is_range = isinstance(rule, dict) and {'low', 'high'} <= set(rule) <= {'low', 'high', 'log'}
        if not is_range and not (isinstance(rule, list) and rule):
            raise ConfigError(f'{name}: expected a list or {{low, high, log}}, got {rule!r}')
    return space


def draw(parameters: keras_tuner.HyperParameters, space: Mapping[str, Any]) -> dict[str, Any]:
    """Return {setting: value} for one trial."""
    values: dict[str, Any] = {}
    for name, rule in space.items():
        if isinstance(rule, list):
            # KerasTuner's choices are of plain types: a list is chosen by its number.
            values[name] = rule[parameters.Int(name, 0, len(rule) - 1)]
        else:
            make = parameters.Int if type(rule['low']) is int else parameters.Float
            sampling = 'log' if rule.get('log') else 'linear'
            values[name] = make(name, rule['low'], rule['high'], sampling=sampling)
    return values


class RunTuner(keras_tuner.Tuner):
    """Makes a training run of each trial, in a folder of its own below *folder*."""

    config: RunConfig
    space: Mapping[str, Any]
    folder: Path
    last_error = ''

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Train with the trial's values; return its best score."""
        values = draw(trial.hyperparameters, self.space)
        config = with_values(self.config, {**values, 'name': f'trial_{trial.trial_id}'})
        print(f'trial {trial.trial_id}: {values}', flush=True)
        try:
            result = train(config, self.folder / config.name, resume=True)
        except FerError as error:
            # KerasTuner counts it as failed, prints the rest and goes on with other values.
            self.last_error = str(error)
            raise
        return {'score': max(row['score'] for row in result.history)}


def search(config: RunConfig, space: Any, folder: Path, trials: int) -> dict[str, Any]:
    """Run KerasTuner's Bayesian search (or go on with the one in *folder*).

    Each trial is a run in *folder*, chosen by the score on the validation set. Returns the best
    values and score, and writes them to ``best.json``.

    Raises:
        ConfigError: the folder holds the search of another configuration or space, or all trials
            failed.
    """
    checked = check_space(space)
    _check_same_search(folder, {'config': settings.to_mapping(config), 'space': checked})
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective('score', 'max'),
        max_trials=trials,
        num_initial_points=max(2, min(trials, len(checked))),
        seed=config.seed,
    )
    tuner = RunTuner(oracle=oracle, directory=str(folder), project_name='search')
    tuner.config, tuner.space, tuner.folder = config, checked, folder
    with contextlib.suppress(RuntimeError):  # KerasTuner's, after three failures in a row
        tuner.search()
    finished = oracle.get_best_trials(1)
    if not finished:
        raise ConfigError(f'no trial came to an end; the last one said: {tuner.last_error}')
    best = finished[0]
    found = {'values': draw(best.hyperparameters, checked), 'score': best.score}
    (folder / 'best.json').write_text(json.dumps(found, indent=2) + '\n', encoding='utf-8')
    return found


def _check_same_search(folder: Path, search: dict[str, Any]) -> None:
    """Note in *folder* what is searched; raise ConfigError if it was something else before."""
    path = folder / 'search.yaml'
    if path.exists():
        changed = list(settings.differences(settings.read_yaml(path), search))
        if changed:
            raise ConfigError(
                f'{folder} holds another search: {", ".join(changed)} differ; '
                'choose another --output'
            )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(search, sort_keys=False), encoding='utf-8')


@command(
    option('config', type=Path, help='the YAML file all variants start from'),
    option('variants', type=Path, help='the YAML file of the variants'),
    option('--output', type=Path, default=Path('runs/comparison')),
)
def compare_variants(config: Path, variants: Path, output: Path) -> None:
    """Train variants of a run under the same recipe and budget; print one table.

    Variants are a YAML mapping from a name to the settings it changes, such as
    {narrow: {model.options: {widths: [32, 64, 128]}}}. A run that is there already is not trained
    anew.
    """
    found = compare(configuration.load(config), settings.read_yaml(variants), output)
    print(as_markdown(found))


@command(
    option('config', type=Path, help='the YAML file the trials start from'),
    option('space', type=Path, help='the YAML file of the space'),
    option('--trials', type=int, default=20),
    option('--output', type=Path, default=Path('runs/tuning')),
)
def tune(config: Path, space: Path, trials: int, output: Path) -> None:
    """Search good settings.

    The space is a YAML mapping from a setting of the run to what it may be:

        optimization.learning_rate: {low: 0.01, high: 0.3, log: true}
        augmentation.mixup: [0.0, 0.2, 0.4]
    """
    found = search(configuration.load(config), settings.read_yaml(space), output, trials)
    print(json.dumps(found))
