# Copyright (c) mmktse authors. All rights reserved.
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from mmktse.utils import BusyError, atomic_write, format_table, json_sha256
from .pipeline import METRICS, Pipeline
from .training_log import load_scalars, training_seconds

_WORD = re.compile(r'\{(\w+)\}')


def _fill(node: Any, values: dict) -> Any:
    """Puts values in place of ``{name}``; other placeholders stay."""
    if isinstance(node, str):
        alone = _WORD.fullmatch(node)
        if alone and alone[1] in values:
            return values[alone[1]]  # with its type
        return _WORD.sub(lambda m: str(values.get(m[1], m[0])), node)
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_fill(value, values) for value in node]
    return node


class Run:
    """One row of a study with one seed: a pipeline and its figures.

    Args:
        row (dict): Settings of the row.
        seed (int): Seed of the run.
        stages (Sequence[dict]): Stages, which may use ``{config}``,
            ``{seed}`` and, if the row comes after another, ``{after}``, the
            folder of that row's run with the same seed.
        work_dir (Path): Folder of all runs.
        results (Path): Folder of the figures.
        tools_dir (str): See :class:`Pipeline`.
        variables (dict): Placeholders of the pipeline.
        after (Run, optional): Run that must be finished before.
    """

    def __init__(self, row: dict, seed: int, stages: Sequence[dict],
                 work_dir: Path, results: Path, tools_dir: str,
                 variables: dict, after: Optional['Run']) -> None:
        self.row, self.seed, self.after = row, seed, after
        self.name = f'{row["name"]}_s{seed}'
        self.path = results / f'{self.name}.json'
        if after is not None:
            variables = dict(variables, after=str(after.pipeline.work_dir))
        numbers = {
            k: v
            for k, v in variables.items() if not isinstance(v, str)
        }
        stages = _fill(stages, dict(numbers, config=row['config'], seed=seed))
        for stage in stages:
            if stage.get('config') == row['config']:
                stage['cfg_options'] = dict(
                    stage.get('cfg_options', {}), **row.get('cfg_options', {}))
        self.pipeline = Pipeline(stages, str(work_dir / self.name), tools_dir,
                                 variables)
        self.key = json_sha256([
            [stage.key for stage in self.pipeline.stages.values()],
            after and after.key,
        ])

    def figures(self) -> Optional[dict]:
        """What the run has measured, whatever its settings were.

        Returns:
            dict | None: 'stages', the figures of each finished stage; 'done',
            whether these are all; 'row', 'seed' and 'key' (settings).

        Raises:
            ValueError: If the file is broken.
        """
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            if not {'key', 'done', 'stages'} <= set(content):
                raise ValueError('entries are missing')
            return content
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise ValueError(f'{self.path} does not hold the figures of a '
                             f'run ({error}): delete it.') from error

    def state(self) -> str:
        """'finished', 'finished with other settings', or the stages'."""
        figures = self.figures()
        if figures is None or not figures['done']:
            return ', '.join(f'{name}: {stage.state()}'
                             for name, stage in self.pipeline.stages.items())
        same = figures['key'] == self.key
        return 'finished' if same else 'finished with other settings'

    def save(self) -> None:
        """Writes the figures of the finished stages."""
        stages = {}
        for name, stage in self.pipeline.stages.items():
            if stage.state() != 'done':
                continue
            record = stage.record()
            figures = {
                key: record.get(key)
                for key in ('seconds', 'memory', 'provenance')
            }
            metrics = stage.work_dir / METRICS
            if metrics.is_file():
                figures['metrics'] = json.loads(
                    metrics.read_text(encoding='utf-8'))
            if stage.type == 'train':
                figures.update(
                    seconds=training_seconds(str(stage.work_dir)),
                    curves=_curves(str(stage.work_dir)))
            stages[name] = figures
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path, 'w') as file:
            json.dump(
                _rounded(
                    dict(
                        row=self.row['name'],
                        seed=self.seed,
                        key=self.key,
                        done=len(stages) == len(self.pipeline.stages),
                        stages=stages)), file)

    def curves(self) -> Dict[str, dict]:
        """What its trainings logged.

        Where the steps go on from the run before, its curves come first.

        Returns:
            dict[str, dict]: See
            :func:`~mmktse.engine.training_log.load_scalars`, with lists; the
            names are those of the log, behind that of the stage and a slash.
        """
        curves = self.after.curves() if self.after else {}
        for name, stage in (self.figures()
                            or dict(stages={}))['stages'].items():
            for key, curve in stage.get('curves', {}).items():
                key = f'{name}/{key}'
                old = curves.get(key, dict(steps=[], values=[]))
                if old['steps'] and old['steps'][-1] >= curve['steps'][0]:
                    old = dict(steps=[], values=[])
                curves[key] = dict(
                    curve,
                    **{k: old[k] + curve[k]
                       for k in ('steps', 'values')})
        return curves

    def do(self) -> None:
        """Does what is missing, the run before included.

        Raises:
            ValueError: If there are figures of other settings, also of the
                runs before.
        """
        if self._finished():
            print(f'{self.name}: finished ({self.path})', flush=True)
            return
        self._do_before()
        self.pipeline.run(after_stage=self.save)

    def _do_before(self) -> None:
        """Does the runs before, whose weights are needed, not figures."""
        if self.after is not None:
            self.after._do_before()
            save = {} if self.after._finished() else dict(
                after_stage=self.after.save)
            self.after.pipeline.run(float('inf'), **save)

    def _finished(self) -> bool:
        state = self.state()
        if state == 'finished with other settings':
            raise ValueError(
                f'{self.path} was measured with other settings: delete it and '
                f'{self.pipeline.work_dir}, or choose another folder with '
                '--results.')
        return state == 'finished'


def _curves(work_dir: str) -> Dict[str, dict]:
    return {
        name:
        dict(curve,
             **{key: curve[key].tolist()
                for key in ('steps', 'values')})
        for name, curve in load_scalars(work_dir).items()
    }


def _rounded(node: Any) -> Any:
    """Five digits are enough, and keep the files small."""
    if isinstance(node, float):
        return float(f'{node:.5g}')
    if isinstance(node, dict):
        return {key: _rounded(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_rounded(value) for value in node]
    return node


def _value(figures: dict, path: str) -> Optional[float]:
    """Follows a path such as 'labels/metrics/fixed/mIoU'."""
    node = figures['stages']
    for key in path.split('/'):
        if node is None:
            return None
        node = node[int(key)] if isinstance(node, list) else node.get(key)
    return node


def _cell(values: Sequence[float], spec: str) -> str:
    """Mean, and half of the range where there are several seeds."""
    text = format(sum(values) / len(values), spec)
    if len(values) > 1:
        text += f' ± {format((max(values) - min(values)) / 2, spec)}'
    return text


class Study:
    """Rows of a table, each a pipeline that is run with several seeds.

    Runs are done one after the other. What is half done goes on where it
    stopped; the figures of a finished run are a small JSON file, and where it
    is there, the run is not repeated, on whatever machine it was made. Several
    processes may work on one study: each takes runs that no other is at.

    Args:
        rows (Sequence[dict]): Every row has a ``name``, a ``config``, the
            ``seeds`` of its runs and ``stages``, a key of ``stages``;
            possible are ``title``, ``cfg_options`` for the stages with its
            config and ``after``, the name of an earlier row that is run first
            with each of the seeds.
        stages (dict[str, list]): Settings of the stages of a
            :class:`~mmktse.engine.pipeline.Pipeline`, by name of the list.
            ``{config}``, ``{seed}`` and ``{after}`` (folder of the run
            before) are placeholders besides those of the pipeline.
        tables (dict[str, Sequence[dict]]): Columns of every table, by its
            heading: ``title``, ``value`` (stage and keys of its figures, such
            as 'labels/metrics/fixed/mIoU'), optionally ``format``, ``factor``
            and ``at``, a second value shown in brackets.
        work_dir (str): Folder of all runs.
        results (str): Folder of the figures.
        tools_dir (str): Folder of train.py, test.py and the others.
        variables (dict): Further placeholders.

    Raises:
        ValueError: If a row is not understood.
    """

    def __init__(self, rows: Sequence[dict], stages: Dict[str, List[dict]],
                 tables: Dict[str, Sequence[dict]], work_dir: str,
                 results: str, tools_dir: str, variables: dict) -> None:
        self.tables = tables
        self.rows: Dict[str, dict] = {}
        self.runs: Dict[str, List[Run]] = {}
        for row in rows:
            name = row.get('name')
            problem = self._problem(row, stages)
            if problem:
                raise ValueError(f'Row "{name}" of the study {problem}.')
            before = {
                run.seed: run
                for run in self.runs.get(row.get('after'), ())
            }
            self.rows[name] = row
            self.runs[name] = [
                Run(row, seed, stages[row['stages']], Path(work_dir),
                    Path(results), tools_dir, variables, before.get(seed))
                for seed in row['seeds']
            ]

    def _problem(self, row: dict, stages: dict) -> Optional[str]:
        absent = {'name', 'config', 'stages', 'seeds'} - set(row)
        if absent:
            return f'lacks {", ".join(sorted(absent))}'
        if row['name'] in self.rows:
            return 'is there twice'
        if row['stages'] not in stages:
            return f'has the stages "{row["stages"]}", which are not there'
        after = row.get('after')
        if after is None:
            return None
        if after not in self.rows:
            return f'comes after "{after}", which is no row before it'
        lacking = set(row['seeds']) - set(self.rows[after]['seeds'])
        return (f'has seeds that "{after}" lacks: {sorted(lacking)}'
                if lacking else None)

    def _known(self, names: Optional[Sequence[str]]) -> Sequence[str]:
        """The names, if all are rows; those of all rows without names."""
        foreign = sorted(set(names or ()) - set(self.rows))
        if foreign:
            raise ValueError(f'The study has no rows {foreign}; there are '
                             f'{", ".join(self.rows)}.')
        return names or list(self.rows)

    def run(self, names: Optional[Sequence[str]] = None) -> None:
        """Does the runs that are not finished, first all rows' first seeds.

        Args:
            names (Sequence[str], optional): Rows to run. Defaults to all.

        Raises:
            ValueError: If a name is no row, or a folder or file holds work
                of other settings.
            RuntimeError: If a stage fails.
        """
        chosen = [self.runs[name] for name in self._known(names)]
        for place in range(max(map(len, chosen), default=0)):
            for runs in chosen:
                if place < len(runs):
                    try:
                        runs[place].do()
                    except BusyError as error:
                        print(f'{runs[place].name}: {error}', flush=True)

    def describe(self) -> str:
        """State of every run."""
        return '\n'.join(f'{run.name}: {run.state()}'
                         for runs in self.runs.values() for run in runs)

    def curves(
            self,
            names: Optional[Sequence[str]] = None
    ) -> Dict[str, Dict[str, dict]]:
        """Mean and range over the seeds of what the trainings logged.

        Args:
            names (Sequence[str], optional): Rows to show. Defaults to all.

        Returns:
            dict[str, dict]: By title of the row, for
            :func:`~mmktse.visualization.save_training_curves`.

        Raises:
            ValueError: If a name is no row.
        """
        result = {}
        for name in self._known(names):
            row = self.rows[name]
            seeds = [r.curves() for r in self.runs[name] if r.figures()]
            if not seeds:
                continue
            result[row.get('title', name)] = rows = {}
            for key in seeds[0]:
                curves = [curves[key] for curves in seeds if key in curves]
                steps = sorted(
                    set.intersection(*(set(c['steps']) for c in curves)))
                values = np.array([[
                    dict(zip(c['steps'], c['values']))[step] for step in steps
                ] for c in curves])
                rows[key] = dict(
                    steps=np.array(steps),
                    values=values.mean(0),
                    low=values.min(0),
                    high=values.max(0),
                    unit=curves[0]['unit'])
        return result

    def report(self, names: Optional[Sequence[str]] = None) -> str:
        """Markdown tables: mean ± half of the range over the seeds.

        The column "seeds" counts the runs that have a value; "1-2" means
        that columns differ in it.

        Args:
            names (Sequence[str], optional): Rows to show. Defaults to all.

        Returns:
            str: '' if no run has figures.

        Raises:
            ValueError: If a name is no row.
        """
        tables = {
            heading: self._table(columns, names)
            for heading, columns in self.tables.items()
        }
        return '\n\n'.join(f'**{heading}**\n\n{table}'
                           for heading, table in tables.items() if table)

    def _table(self, columns: Sequence[dict],
               names: Optional[Sequence[str]]) -> str:
        rows = []
        for name in self._known(names):
            row = self.rows[name]
            figures = [f for f in (r.figures() for r in self.runs[name]) if f]
            cells, seeds = {}, set()
            for column in columns:
                title, spec = column['title'], column.get('format', '.1f')
                # A run that is half done has no value of some columns.
                known = [
                    f for f in figures
                    if _value(f, column['value']) is not None
                ]
                if not known:
                    continue
                seeds.add(len(known))
                cells[title] = _cell([
                    _value(f, column['value']) * column.get('factor', 1)
                    for f in known
                ], spec)
                places = [
                    f'{_value(f, column["at"]):.2f}' for f in known
                    if 'at' in column and _value(f, column['at']) is not None
                ]
                if places:
                    cells[title] += f' ({", ".join(places)})'
            if cells:
                # Of each column, where they differ.
                seeds = '-'.join(map(str, sorted({min(seeds), max(seeds)})))
                rows.append(
                    dict(cells, row=row.get('title', name), seeds=seeds))
        return format_table(rows,
                            [(key, key, '')
                             for key in ('row', 'seeds', *(c['title']
                                                           for c in columns))])
