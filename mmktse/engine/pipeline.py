# Copyright (c) mmktse authors. All rights reserved.
import argparse
import ctypes
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import (Any, Callable, Dict, Iterator, List, Optional, Sequence,
                    Tuple)

from mmengine.config import Config, DictAction

from mmktse.seeds.manifest import read_manifest
from mmktse.utils import (atomic_write, file_sha256, folder_lock, format_table,
                          json_sha256)
from .checkpoint import latest_checkpoint
from .provenance import code_version, hardware

RECORD = 'stage.json'
METRICS = 'metrics.json'
TABLE = 'table.json'
RESULTS = 'results.md'
_PLACEHOLDER = re.compile(r'\{(\w+)(?:\.(\w+))?\}')
# Settings of each type of stage: needed, possible.
_COMMON = {'name', 'type', 'title', 'needs', 'show', 'only_if'}
_SETTINGS = dict(
    train=({'config'},
           {'cfg_options', 'args', 'gpus', 'total_batch', 'start_from'}),
    test=({'config', 'checkpoint'}, {'cfg_options', 'args', 'gpus'}),
    pseudo_labels=({'config'},
                   {'checkpoint', 'from_seeds', 'cfg_options', 'args',
                    'gpus'}),
    command=({'argv', 'outputs'}, set()))
# Seconds for an interrupted stage to end its own processes, of which torchrun
# waits 30 before it kills them.
_PATIENCE = 40.
# What says where the work is done, not what.
_PLACES = {'work_dir', 'python', 'tools', 'gpus', 'after'}
# Columns of the table: key of a row, heading, format of a number.
_COLUMNS = (('stage', 'stage', ''), ('what', 'what', ''),
            ('split', 'split', ''), ('tta', 'TTA', ''),
            ('refiner', 'refiner', ''), ('threshold', 'threshold', '.2f'),
            ('threshold_source', 'chosen', ''), ('mIoU', 'mIoU', '.2f'),
            ('precision', 'precision', '.2f'), ('recall', 'recall', '.2f'))
# The same of the table below it.
_ORIGIN = (('stage', 'stage', ''), ('config', 'config', ''),
           ('checkpoint', 'weights (SHA-256)', ''), ('data', 'data', ''),
           ('seed', 'seed', ''), ('code', 'code', ''), ('hardware', 'hardware',
                                                        ''),
           ('minutes', 'minutes', '.1f'), ('memory', 'memory (MiB)', '.0f'))


def option_words(options: dict) -> List[str]:
    """Words after ``--cfg-options`` that mean a dict of settings.

    Args:
        options (dict): Settings; nested dicts become dotted names.

    Returns:
        list[str]: For example ['a.b=1', 'c=[x,y]'].

    Raises:
        ValueError: If a value would not arrive as it is, such as a path with
            a space.
    """
    flat: Dict[str, Any] = {}

    def flatten(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for key, child in value.items():
                flatten(f'{prefix}.{key}' if prefix else key, child)
        else:
            flat[prefix] = value

    flatten('', options)
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    words = []
    for key, value in flat.items():
        text = repr(value) if isinstance(value, (list, tuple)) else str(value)
        word = f'{key}={text}'.replace(' ', '')
        try:
            read = parser.parse_args(['--cfg-options', word]).cfg_options
        except (ValueError, AssertionError, argparse.ArgumentError):
            read = None
        if read != {key: value}:
            raise ValueError(
                f'{key} = {value!r} cannot be given as an option of a tool '
                '(no spaces in texts, no empty dicts): write a config that '
                'inherits from the one of the stage.')
        words.append(word)
    return words


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from _strings(child)
    elif isinstance(node, (list, tuple)):
        for child in node:
            yield from _strings(child)


def _map_strings(node: Any, function: Callable[[str], Any]) -> Any:
    if isinstance(node, str):
        return function(node)
    if isinstance(node, dict):
        return {key: _map_strings(v, function) for key, v in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_map_strings(v, function) for v in node)
    return node


def _end_with_parent() -> None:
    """Lets the kernel end a stage whose pipeline is killed (Linux).

    Not by SIGKILL: torchrun has its own processes to end first.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _run(command: Sequence[str], **kwargs: Any) -> Tuple[int, float]:
    """Runs a command.

    Args:
        command (Sequence[str]): Its words.
        **kwargs: Arguments of :class:`subprocess.Popen`.

    Returns:
        tuple[int, float]: Exit code, and the most memory in MiB that one of
        its processes held, no less than what this one does.
    """
    with subprocess.Popen(command, **kwargs) as process:
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # such as Ctrl-C
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                pass
            finally:
                process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == 'darwin' else 2**10
    return process.returncode, round(usage.ru_maxrss / unit, 1)


class Stage:
    """One step of a pipeline: settings, folder and record of the work.

    ``stage.json`` in the folder says with which settings the work was
    started, of which runs of other stages it makes use, and whether it was
    finished. It is replaced in one go, so it is never half written.

    Args:
        settings (dict): ``name``, ``type`` and what the type needs.
        work_dir (Path): Folder of the stage.
        variables (dict): What placeholders without a dot stand for.
        earlier (dict[str, Stage]): Stages before this one, by name.
    """

    def __init__(self, settings: dict, work_dir: Path, variables: dict,
                 earlier: Dict[str, 'Stage']) -> None:
        self.settings = settings
        self.name: str = settings['name']
        self.type: str = settings['type']
        self.work_dir = work_dir
        self.variables = variables
        self.needs: Dict[str, Stage] = {}
        for name in settings.get('needs', ()):
            self._need(name, earlier)
        # Where things lie is no setting: a work directory may be moved. The
        # number of processes is one of a training alone, unless it keeps the
        # size of the batches.
        aside = {'title', 'show', 'only_if', 'start_from'}
        if self.type != 'train' or 'total_batch' in settings:
            aside.add('gpus')
        used = {}
        for key, value in settings.items():
            for text in _strings(value):
                for name, attribute in _PLACEHOLDER.findall(text):
                    if attribute:
                        if name != self.name:
                            self._need(name, earlier)
                    elif key not in aside:
                        used[name] = self._variable(name)
        self.key = json_sha256([{
            k: v
            for k, v in settings.items() if k not in aside
        }, {
            k: v
            for k, v in used.items()
            if k not in _PLACES or (k == 'gpus' and 'gpus' not in aside)
        }, {
            name: stage.key
            for name, stage in self.needs.items()
        },
                                self._config_content()])

    def _variable(self, name: str) -> str:
        if name not in self.variables:
            raise ValueError(
                f'Stage "{self.name}" uses {{{name}}}, which is not a setting '
                'of the pipeline.')
        return str(self.variables[name])

    def _need(self, name: str, earlier: Dict[str, 'Stage']) -> None:
        if name not in earlier:
            raise ValueError(f'Stage "{self.name}" makes use of "{name}", '
                             'which is not a stage before it.')
        self.needs[name] = earlier[name]

    def _config_content(self) -> Optional[dict]:
        if 'config' not in self.settings:
            return None
        path = self.resolve(self.settings['config'])
        if not os.path.isfile(path):
            raise FileNotFoundError(f'There is no config {path}.')
        return Config.fromfile(path)._cfg_dict.to_dict()

    def resolve(self, node: Any) -> Any:
        """Replaces the placeholders in all texts of a setting.

        A text that is nothing but one for a decimal number becomes that
        number, as an option of a tool has to be.
        """

        def value(match: 're.Match') -> str:
            name, attribute = match.groups()
            if not attribute:
                return self._variable(name)
            stage = self if name == self.name else self.needs[name]
            if attribute == 'work_dir':
                return str(stage.work_dir)
            if attribute == 'checkpoint' and stage.type == 'train':
                return latest_checkpoint(
                    stage.work_dir) or f'<checkpoint_of_{name}>'
            raise ValueError(
                f'Stage "{self.name}" uses {{{name}.{attribute}}}; there are '
                '{stage.work_dir} and, of a training, {stage.checkpoint}.')

        def fill(text: str) -> Any:
            number = self.variables.get(text[1:-1])
            if isinstance(number, float) and _PLACEHOLDER.fullmatch(text):
                return number
            return _PLACEHOLDER.sub(value, text)

        return _map_strings(node, fill)

    @property
    def gpus(self) -> int:
        """Number of processes."""
        gpus = str(self.resolve(self.settings.get('gpus', 1)))
        if not gpus.isdigit() or not int(gpus):
            raise ValueError(f'Stage "{self.name}": gpus must be the number '
                             f'of processes, got "{gpus}".')
        return int(gpus)

    def cfg_options(self) -> dict:
        """Settings that override the config, batch sizes included."""
        options = dict(self.resolve(self.settings.get('cfg_options', {})))
        for loader, size in self.settings.get('total_batch', {}).items():
            if size % self.gpus:
                raise ValueError(
                    f'Stage "{self.name}": a batch of {size} ({loader}) '
                    f'cannot be shared evenly by {self.gpus} processes; give '
                    'another number with --cfg-options gpus=N.')
            options[f'{loader}.batch_size'] = size // self.gpus
        return options

    def command(self) -> List[str]:
        """Words of the command that does, or goes on with, the work."""
        get = self.resolve(self.settings).get
        if self.type == 'command':
            return [str(word) for word in get('argv')]
        launch = [sys.executable]
        if self.gpus > 1:
            launch += [
                '-m', 'torch.distributed.run', '--standalone',
                f'--nproc_per_node={self.gpus}'
            ]
        tool = dict(
            train='train.py',
            test='test.py',
            pseudo_labels='make_pseudo_labels.py')[self.type]
        words = [*launch, f'{self.variables["tools"]}/{tool}', get('config')]
        if get('checkpoint'):
            words.append(get('checkpoint'))
        if get('from_seeds'):
            words += ['--from-seeds', get('from_seeds')]
        words += [
            '--out' if self.type == 'pseudo_labels' else '--work-dir',
            str(self.work_dir)
        ]
        if self.type == 'train':
            words.append('--resume')
            if get('start_from') and not latest_checkpoint(self.work_dir):
                words.append(get('start_from'))
        if self.gpus > 1:
            words += ['--launcher', 'pytorch']
        words += [str(word) for word in get('args', ())]
        options = self.cfg_options()
        if options:
            words += ['--cfg-options', *option_words(options)]
        return words

    def provenance(self) -> dict:
        """Where the figures of finished work come from, the code aside.

        Returns:
            dict: 'hardware' and, unless the stage is a command, 'config',
            'data', 'seed' and 'checkpoint' (SHA-256, shortened).
        """
        origin = dict(hardware=hardware(self.gpus))
        if self.type == 'command':
            return origin
        config = self.resolve(self.settings['config'])
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(self.cfg_options())
        if self.type == 'pseudo_labels':
            made_by = read_manifest(self.work_dir)['settings']['seeds']
            sha256 = made_by.get('checkpoint_sha256', '')[:12]
        else:
            path = self.settings.get('checkpoint')
            path = self.resolve(path) if path else self.outputs()[0]
            # Of a file behind an address the name has to do.
            sha256 = path if '://' in path else file_sha256(path)[:12]
        return dict(
            origin,
            config=config,
            data=cfg.get('data_root'),
            seed=(cfg.get('randomness') or {}).get('seed'),
            checkpoint=sha256)

    def outputs(self) -> List[str]:
        """Files and folders that finished work has."""
        if self.type == 'command':
            return [
                str(path) for path in self.resolve(self.settings['outputs'])
            ]
        if self.type == 'train':
            checkpoint = latest_checkpoint(self.work_dir)
            return [checkpoint or str(self.work_dir / '*.pth')]
        name = METRICS if self.type == 'test' else 'manifest.json'
        return [str(self.work_dir / name)]

    def record(self) -> dict:
        """What ``stage.json`` says; empty where there is none."""
        path = self.work_dir / RECORD
        try:
            record = json.loads(path.read_text(encoding='utf-8'))
            if not {'run', 'key', 'inputs', 'done'} <= set(record):
                raise ValueError('entries are missing')
            return record
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f'{path} is not the record of a stage ({error}): '
                             f'delete {self.work_dir}.') from error

    def write(self, **content: Any) -> None:
        """Replaces ``stage.json``."""
        with atomic_write(self.work_dir / RECORD, 'w') as file:
            json.dump(content, file, indent=1)

    def missing(self) -> List[str]:
        """Outputs that are not there."""
        return [path for path in self.outputs() if not os.path.exists(path)]

    def left_out(self) -> Optional[str]:
        """The file without which there is nothing to do here, if absent.

        It is the stage's own ``only_if``, or that of a stage it needs.
        """
        paths = _strings(self.resolve(self.settings.get('only_if')))
        absent = [path for path in paths if not os.path.exists(path)]
        absent += filter(None, (s.left_out() for s in self.needs.values()))
        return absent[0] if absent else None

    def state(self) -> str:
        """'done', 'half done', 'to do', or one of 'left out: ' and 'stale: '
        with the reason."""
        absent = self.left_out()
        if absent:
            return f'left out: there is no {absent}'
        record = self.record()
        if not record:
            return 'to do'
        if record['key'] != self.key:
            return 'stale: made with other settings'
        for name, stage in self.needs.items():
            run = stage.record().get('run')
            if record['inputs'].get(name) != run:
                return f'stale: "{name}" was made anew since'
        done = record['done'] and not self.missing()
        return 'done' if done else 'half done'

    def rows(self) -> List[dict]:
        """Rows of the table, of the kinds that the setting 'show' names."""
        try:
            text = (self.work_dir / METRICS).read_text(encoding='utf-8')
        except FileNotFoundError:
            return []
        show = self.settings.get('show')
        return [
            dict(row, stage=self.title, name=self.name)
            for row in json.loads(text).get('rows', ())
            if show is None or row.get('what') in show
        ]

    @property
    def title(self) -> str:
        """What the table calls the stage."""
        return self.settings.get('title', self.name)


class Pipeline:
    """Stages that run one after the other, each as an ordinary command.

    Work that its record proves done is left out; what is half done goes on
    where it stopped. ``WORK_DIR/table.json`` holds the rows measured so far,
    ``WORK_DIR/results.md`` the table and where each figure comes from.

    Args:
        stages (Sequence[dict]): Settings of the stages. Every stage has a
            ``name`` and a ``type``: 'train', 'test' and 'pseudo_labels' run
            the tool of that name on a ``config`` with ``cfg_options`` (dict),
            ``args`` (further words) and ``gpus`` (number of processes);
            'train' takes ``total_batch`` (dict of dataloaders and the sizes
            of their batches over all processes) and ``start_from``
            (checkpoint of a shorter run that it goes on from);
            'test' and 'pseudo_labels' take a ``checkpoint``, or the latter
            ``from_seeds``; 'command' runs ``argv`` and is proved by
            ``outputs``. ``needs`` names stages besides those in placeholders,
            ``title`` and ``show`` (kinds of rows) shape the table, and a
            stage whose ``only_if`` (path, or list of them) is not there is
            left out.
            Placeholders: ``{stage.work_dir}``, ``{stage.checkpoint}``,
            ``{work_dir}``, ``{python}``, ``{tools}`` and ``variables``.
        work_dir (str): Folder of the pipeline.
        tools_dir (str): Folder of train.py, test.py and the others.
        variables (dict, optional): Further placeholders.

    Raises:
        ValueError: If a stage is not understood.
        FileNotFoundError: If a config is missing.
    """

    def __init__(self,
                 stages: Sequence[dict],
                 work_dir: str,
                 tools_dir: str,
                 variables: Optional[dict] = None) -> None:
        self.work_dir = Path(work_dir)
        self.root = Path(tools_dir).resolve().parent
        self.code = code_version(self.root)
        variables = dict(
            variables or {},
            work_dir=str(work_dir),
            python=sys.executable,
            tools=str(tools_dir))
        self.stages: Dict[str, Stage] = {}
        if not stages:
            raise ValueError('The pipeline has no stages.')
        for settings in stages:
            self._check(settings)
            self.stages[settings['name']] = Stage(
                settings, self.work_dir / settings['name'], variables,
                dict(self.stages))

    def _check(self, settings: dict) -> None:
        name, kind = settings.get('name'), settings.get('type')
        if not re.fullmatch(r'\w+', str(name)) or name in self.stages:
            raise ValueError(f'Stage name "{name}" is missing, taken or not '
                             'of letters, digits and underscores.')
        if kind not in _SETTINGS:
            raise ValueError(f'Stage "{name}" has the type "{kind}"; there '
                             f'are {", ".join(_SETTINGS)}.')
        needed, possible = _SETTINGS[kind]
        absent = sorted(needed - set(settings))
        foreign = sorted(set(settings) - needed - possible - _COMMON)
        if kind == 'pseudo_labels' and ('checkpoint'
                                        in settings) == ('from_seeds'
                                                         in settings):
            absent.append('checkpoint or from_seeds (one of the two)')
        if absent or foreign:
            raise ValueError(f'Stage "{name}" ' + ' and '.join(
                filter(None, (absent and f'lacks {", ".join(absent)}',
                              foreign and 'has the unknown settings '
                              f'{", ".join(foreign)}'))) + '.')

    def describe(self) -> str:
        """What would run, with inputs, outputs and state of every stage."""
        lines = []
        for stage in self.stages.values():
            lines += [
                f'{stage.name} [{stage.type}]: {stage.state()}',
                f'  inputs:  {", ".join(stage.needs) or "none"}',
                f'  outputs: {", ".join(stage.outputs())}',
                f'  command: {shlex.join(stage.command())}'
            ]
        return '\n'.join(lines)

    def run(self,
            patience: float = 10.,
            after_stage: Callable[[], None] = lambda: None) -> str:
        """Does what is not done yet.

        Args:
            patience (float): Seconds to wait while another process is at work
                in the folder. Defaults to 10, which a killed run's stage may
                need to end.
            after_stage (Callable): Called when a stage is done.

        Returns:
            str: The table.

        Raises:
            ValueError: If a folder holds work that was made with other
                settings.
            BusyError: If another process is at work in the folder.
            RuntimeError: If a stage fails.
        """
        with folder_lock(self.work_dir, patience) as lock:
            self._refuse_stale()
            for number, stage in enumerate(self.stages.values(), 1):
                place = f'[{number}/{len(self.stages)}] {stage.name}'
                state = stage.state()
                if state == 'done':
                    print(f'{place}: done already', flush=True)
                elif state.startswith('left out'):
                    print(f'{place}: {state}', flush=True)
                else:
                    self._run_stage(stage, place, lock)
                self._write_results()
                after_stage()
        return self.table()

    def rows(self) -> List[dict]:
        """Rows of the finished stages."""
        return [
            row for stage in self.stages.values() if stage.state() == 'done'
            for row in stage.rows()
        ]

    def table(self) -> str:
        """The rows as a Markdown table."""
        return format_table(self.rows(), _COLUMNS)

    def _write_results(self) -> None:
        with atomic_write(self.work_dir / TABLE, 'w') as file:
            json.dump(self.rows(), file, indent=1)
        origins = []
        for stage in self.stages.values():
            record = stage.record()
            if stage.state() == 'done' and stage.type != 'command':
                origins.append(
                    dict(
                        record.get('provenance', {}),
                        stage=stage.title,
                        minutes=record['seconds'] / 60,
                        memory=record.get('memory')))
        with atomic_write(self.work_dir / RESULTS, 'w') as file:
            file.write(f'# {self.work_dir.name}\n\n{self.table()}\n\n'
                       'A threshold that is called "oracle" was chosen on the '
                       'very images measured.\nMinutes are those of the last '
                       'start of a stage; memory is the most that one of its '
                       'processes held, that of a GPU aside.\n\n'
                       f'{format_table(origins, _ORIGIN)}\n')

    def _refuse_stale(self) -> None:
        stale = [
            f'{stage.work_dir} ({state[7:]})'
            for stage, state in ((s, s.state()) for s in self.stages.values())
            if state.startswith('stale')
        ]
        if stale:
            raise ValueError(
                'These folders hold work that does not fit the pipeline: '
                f'{"; ".join(stale)}. Delete them, or choose another '
                '--work-dir.')

    def _run_stage(self, stage: Stage, place: str, lock: int) -> None:
        inputs = {
            name: other.record()['run']
            for name, other in stage.needs.items()
        }
        old = stage.record()
        # Every version that had a part in it, where a run was taken up.
        versions = list(dict.fromkeys([*old.get('code', ()), self.code]))
        record = dict(
            run=old.get('run',
                        uuid.uuid4().hex),
            key=stage.key,
            inputs=inputs,
            code=versions,
            done=False)
        stage.write(**record)
        command = stage.command()
        print(f'{place}: {shlex.join(command)}', flush=True)
        path = [str(self.root), os.environ.get('PYTHONPATH')]
        start = time.monotonic()
        code, memory = _run(
            command,
            env=dict(
                os.environ, PYTHONPATH=os.pathsep.join(filter(None, path))),
            # The lock stays held until the stage has ended.
            pass_fds=(lock, ),
            preexec_fn=_end_with_parent)
        seconds = round(time.monotonic() - start, 1)
        if code:
            raise RuntimeError(
                f'Stage "{stage.name}" failed with exit code {code}; the '
                'reason stands above. The same command goes on from here.')
        missing = stage.missing()
        if missing:
            raise RuntimeError(f'Stage "{stage.name}" ended without '
                               f'{", ".join(missing)}.')
        stage.write(
            **{
                **record, 'done': True
            },
            seconds=seconds,
            memory=memory,
            provenance=dict(stage.provenance(), code=', '.join(versions)))
        print(f'{place}: done in {seconds:.0f} s', flush=True)
