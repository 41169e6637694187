# Copyright (c) mmktse authors. All rights reserved.
"""Kills a pipeline at random moments until it has survived enough of it.

A run without a kill comes first. Then the same pipeline is started, one of its
processes, or all at once, get SIGKILL at a random moment, and the same command
goes on, until it ends; what is there then must be what the first run made. All
this is repeated with new folders up to the number of kills. Linux only.
"""
import argparse
import hashlib
import json
import os
import os.path as osp
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import torch
from mmengine.runner import CheckpointLoader

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.engine.checkpoint import latest_checkpoint
from mmktse.engine.errors import one_sentence_errors
from mmktse.utils import format_table

ROOT = Path(__file__).resolve().parents[2]


class Process(NamedTuple):
    """A process below the pipeline."""
    pid: int
    parent: int
    words: str


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', help='folder of the runs')
    parser.add_argument(
        '--config',
        default=str(ROOT / 'tests/data/tiny_pipeline.py'),
        help='pipeline with a setting data_root (default: a tiny one)')
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--gpus', type=int, default=1, help='processes')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    return parser.parse_args()


def processes(marker: str) -> Dict[int, Process]:
    """All processes that have the text in their command, with their kin."""
    table = {}
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            words = (folder / 'cmdline').read_bytes().decode().split('\0')
            # The name, in brackets, may hold anything.
            state, parent = (folder /
                             'stat').read_text().rpartition(')')[2].split()[:2]
        except (OSError, UnicodeDecodeError):
            continue  # it has just ended
        if state != 'Z':
            pid = int(folder.name)
            table[pid] = Process(pid, int(parent), ' '.join(words))
    found = {p.pid for p in table.values() if marker in p.words}
    while True:
        kin = {p.pid for p in table.values() if p.parent in found} - found
        if not kin:
            return {pid: table[pid] for pid in found}
        found |= kin


def role_of(process: Process, root: int, known: Dict[int, Process]) -> str:
    """What a process of a pipeline is for."""
    if process.pid == root:
        return 'pipeline'
    if process.parent == root:
        launches = 'torch.distributed.run' in process.words
        return 'launcher' if launches else 'stage'
    parent = known.get(process.parent)
    if parent and 'torch.distributed.run' in parent.words:
        return 'rank'
    return 'worker'


class Killer:
    """The pipeline in one folder, and what became of it."""

    def __init__(self, args: argparse.Namespace, folder: Path,
                 data: Path) -> None:
        self.folder = folder
        self.command = [
            sys.executable,
            str(ROOT / 'tools/run_pipeline.py'), args.config, '--work-dir',
            str(folder), '--cfg-options', f'data_root={data}',
            f'gpus={args.gpus}'
        ]

    def start(self) -> subprocess.Popen:
        path = os.pathsep.join(
            filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
        self.log = open(f'{self.folder}.log', 'w+')
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=dict(os.environ, PYTHONPATH=path),
            stdout=self.log,
            stderr=subprocess.STDOUT)

    def fail(self, what: str) -> None:
        self.log.seek(0)
        raise RuntimeError(f'{what}. Its folder is {self.folder}; it said: '
                           f'{self.log.read()[-3000:]}')

    def kill(self, root: int, rng: random.Random) -> Optional[dict]:
        """Kills one process or all; None if there was nothing to kill."""
        known = processes(str(self.folder))
        if root not in known:
            return None
        roles: Dict[str, List[Process]] = {}
        for process in sorted(known.values()):
            roles.setdefault(role_of(process, root, known), []).append(process)
        stages = {
            match[1]
            for p in known.values() if p.pid != root for match in
            [re.search(rf'{re.escape(str(self.folder))}/(\w+)', p.words)]
            if match
        }
        role = rng.choice(sorted([*roles, 'all at once']))
        victims = list(known.values())
        if role != 'all at once':
            victims = [rng.choice(roles[role])]
        # Nobody acts upon the death of another.
        for sign in (signal.SIGSTOP, signal.SIGKILL):
            for victim in victims:
                try:
                    os.kill(victim.pid, sign)
                except ProcessLookupError:
                    pass
        return dict(
            place=min(stages) if stages else 'between stages', role=role)

    def wait_for_quiet(self) -> None:
        """No process may live on for long after the pipeline's death."""
        for _ in range(600):
            if not processes(str(self.folder)):
                return
            time.sleep(.1)
        self.fail('Processes of a killed run live on: ' + '; '.join(
            p.words for p in processes(str(self.folder)).values()))

    def results(self) -> Dict[str, str]:
        """Hashes of what must not depend on interruptions."""
        left = [str(path) for path in self.folder.rglob('*.tmp')]
        if left:
            self.fail(f'Partial files were left behind: {left}')
        hashes = {
            str(path.relative_to(self.folder)):
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob('*')
            if path.suffix in ('.png', '.npz', '.jpg')
        }
        rows = json.loads((self.folder / 'table.json').read_text())
        hashes['table.json'] = json.dumps(rows)
        for stage in self.folder.iterdir():
            checkpoint = stage.is_dir() and latest_checkpoint(stage)
            if checkpoint:
                state = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
                digest = hashlib.sha256()
                for name, value in sorted(state['state_dict'].items()):
                    digest.update(name.encode())
                    digest.update(value.contiguous().view(-1).view(
                        torch.uint8).numpy())
                hashes[f'{stage.name}: weights'] = digest.hexdigest()
        return hashes


def survive(killer: Killer, limit: float, rng: random.Random,
            left: int) -> List[dict]:
    """Runs the pipeline to its end, with at most ``left`` kills."""
    kills: List[dict] = []
    while True:
        process = killer.start()
        victim = None
        try:
            code = process.wait(
                rng.uniform(0, limit) if len(kills) < left else None)
        except subprocess.TimeoutExpired:
            victim = killer.kill(process.pid, rng)
            code = process.wait(600)
        if victim is not None:
            kills.append(victim)
            print(
                f'{killer.folder.name}: {victim["role"]} in '
                f'{victim["place"]}',
                flush=True)
            killer.wait_for_quiet()
        elif code:
            killer.fail('A run that nobody killed ended with exit code '
                        f'{code}')
        if code == 0:
            return kills


@one_sentence_errors
def main() -> None:
    args = parse_args()
    work_dir = Path(osp.abspath(args.work_dir))
    data = work_dir / 'data'
    generate_synthetic_voc(str(data), 6, 2, 64)
    rng = random.Random(args.seed)
    whole = Killer(args, work_dir / 'whole', data)
    begin = time.monotonic()
    survive(whole, 0, rng, 0)
    limit = time.monotonic() - begin
    want = whole.results()
    print(f'A whole run: {limit:.0f} s, {len(want)} results', flush=True)
    kills: List[dict] = []
    runs = 0
    while len(kills) < args.kills:
        killer = Killer(args, work_dir / f'killed_{runs}', data)
        # Half a run: several kills hit each.
        kills += survive(killer, limit / 2, rng, args.kills - len(kills))
        got = killer.results()
        differ = sorted(key for key in {*want, *got}
                        if want.get(key) != got.get(key))
        if differ:
            killer.fail(f'These differ from those of a whole run: {differ}')
        shutil.rmtree(killer.folder)
        runs += 1
    counts = Counter((kill['place'], kill['role']) for kill in kills)
    roles = sorted({role for _, role in counts})
    print(
        format_table([
            dict({r: str(counts[place, r])
                  for r in roles}, place=place)
            for place in sorted({place
                                 for place, _ in counts})
        ], [(key, key, '') for key in ('place', *roles)]))
    print(f'{len(kills)} kills in {runs} runs; all {len(want)} results of '
          'each are those of a whole run, and nothing was left behind.')


if __name__ == '__main__':
    main()
