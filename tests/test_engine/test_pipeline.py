# Copyright (c) mmktse authors. All rights reserved.
import hashlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.engine import pipeline as module
from mmktse.engine.pipeline import Pipeline, option_words
from mmktse.seeds import load_label_map, save_seed
from mmktse.utils import BusyError, folder_lock
from mmktse.version import __version__

ROOT = Path(__file__).parents[2]
TOOLS = str(ROOT / 'tools')
# Notes that it was run, then waits for a file (if asked), then writes.
WORK = """
import pathlib, sys, time
folder, wait = pathlib.Path(sys.argv[1]), sys.argv[2:]
with open(folder / 'runs', 'a') as file:
    file.write('run\\n')
while wait and not pathlib.Path(wait[0]).exists():
    time.sleep(.05)
(folder / 'out').write_text(str(time.time_ns()))
"""
# Metrics as the tools write them.
ROWS = dict(rows=[
    dict(what='seed', split='train', threshold=.3, mIoU=50.),
    dict(what='pseudo labels', split='train', threshold=.3, mIoU=60.123)
])


def work(name, *wait, **settings):
    return dict(
        name=name,
        type='command',
        argv=['{python}', '-c', WORK, f'{{{name}.work_dir}}', *wait],
        outputs=[f'{{{name}.work_dir}}/out'],
        **settings)


def runs(folder, name):
    path = folder / name / 'runs'
    return len(path.read_text().splitlines()) if path.exists() else 0


def pipeline(folder, *stages, **variables):
    return Pipeline(stages, str(folder), TOOLS, variables)


def states(plan):
    return [stage.state() for stage in plan.stages.values()]


def test_done_stages_are_not_run_again(tmp_path, capfd):
    stages = [work('a'), work('b', needs=['a'])]
    plan = pipeline(tmp_path, *stages)
    assert states(plan) == ['to do', 'to do']
    plan.run()
    assert states(plan) == ['done', 'done']
    before = (tmp_path / 'b' / 'out').read_text()
    pipeline(tmp_path, *stages).run()
    assert runs(tmp_path, 'a') == runs(tmp_path, 'b') == 1
    assert (tmp_path / 'b' / 'out').read_text() == before
    assert '[1/2] a: done already' in capfd.readouterr().out


def test_lost_output_is_made_again(tmp_path):
    plan = pipeline(tmp_path, work('a'), work('b'))
    plan.run()
    (tmp_path / 'b' / 'out').unlink()
    assert states(plan) == ['done', 'half done']
    plan.run()
    assert (runs(tmp_path, 'a'), runs(tmp_path, 'b')) == (1, 2)


def test_failing_stage_stops_and_is_taken_up_again(tmp_path):
    flag = tmp_path / 'flag'
    test = f'import os, sys; sys.exit(3 * (not os.path.exists({str(flag)!r})))'
    stages = [
        work('a'),
        dict(
            name='b',
            type='command',
            argv=['{python}', '-c', test],
            outputs=[]),
        work('c')
    ]
    plan = pipeline(tmp_path, *stages)
    with pytest.raises(RuntimeError, match='"b" failed with exit code 3'):
        plan.run()
    assert states(plan) == ['done', 'half done', 'to do']
    flag.touch()
    plan.run()
    assert states(plan) == ['done'] * 3
    assert runs(tmp_path, 'a') == 1


def test_stage_without_its_output_is_not_done(tmp_path):
    plan = pipeline(
        tmp_path,
        dict(
            name='a',
            type='command',
            argv=['{python}', '-c', ''],
            outputs=['{a.work_dir}/out']))
    with pytest.raises(RuntimeError, match='ended without .*out'):
        plan.run()
    assert states(plan) == ['half done']


def test_sigkill_in_the_middle(tmp_path):
    """The stage dies with the pipeline; a rerun does what is missing."""
    go, config = tmp_path / 'go', tmp_path / 'config.py'
    stages = [work('a'), work('b', str(go), needs=['a']), work('c')]
    config.write_text(f'stages = {stages!r}\n')
    folder = tmp_path / 'work'
    command = [
        sys.executable, f'{TOOLS}/run_pipeline.py', config, '--work-dir',
        folder
    ]
    path = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    process = subprocess.Popen(command, env=dict(os.environ, PYTHONPATH=path))
    while not runs(folder, 'b'):
        assert process.poll() is None
        time.sleep(.05)
    first = (folder / 'a' / 'out').read_text()
    process.send_signal(signal.SIGKILL)
    process.wait()
    plan = pipeline(folder, *stages)
    assert states(plan) == ['done', 'half done', 'to do']
    # Had it outlived the pipeline, it would write at this signal.
    go.touch()
    plan.run()
    assert states(plan) == ['done'] * 3
    assert [runs(folder, name) for name in 'abc'] == [1, 2, 1]
    assert (folder / 'a' / 'out').read_text() == first


def alive(pid):
    stat = Path(f'/proc/{pid}/stat')
    return stat.exists() and stat.read_text().split()[2] != 'Z'


@pytest.mark.skipif(
    sys.platform != 'linux', reason='the kernel of Linux ends the stage')
def test_no_rank_outlives_a_killed_pipeline(tmp_path):
    """torchrun starts ranks in sessions of their own."""
    rank = tmp_path / 'rank.py'
    rank.write_text('import os, pathlib, time\n'
                    f'folder = pathlib.Path({str(tmp_path)!r})\n'
                    "(folder / f'{os.getpid()}.pid').touch()\n"
                    'time.sleep(120)\n')
    stage = dict(
        name='a',
        type='command',
        argv=[
            '{python}', '-m', 'torch.distributed.run', '--standalone',
            '--nproc_per_node=2',
            str(rank)
        ],
        outputs=[])
    config, folder = tmp_path / 'config.py', tmp_path / 'work'
    config.write_text(f'stages = [{stage!r}]\n')
    process = subprocess.Popen([
        sys.executable, f'{TOOLS}/run_pipeline.py', config, '--work-dir',
        folder
    ],
                               env=dict(os.environ, PYTHONPATH=str(ROOT)))
    while len(list(tmp_path.glob('*.pid'))) < 2:
        assert process.poll() is None
        time.sleep(.1)
    ranks = [int(path.stem) for path in tmp_path.glob('*.pid')]
    process.send_signal(signal.SIGKILL)
    process.wait()
    with folder_lock(folder, patience=60):
        assert not any(map(alive, ranks))


# Notes its start, and its end where it is asked to end.
CHILD = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def end(*args):
    (folder / 'asked').touch()
    if sys.argv[2:]:
        sys.exit()
signal.signal(signal.SIGTERM, end)
(folder / 'started').write_text('')
while True:
    time.sleep(.05)
"""


@pytest.mark.parametrize('words', [['obeys'], []])
def test_interrupt_lets_a_stage_end_by_itself(tmp_path, monkeypatch, words):
    """As torchrun must: it has ranks to end, which SIGKILL would leave."""
    pids = []

    def interrupted(pid, options):
        pids.append(pid)
        while not (tmp_path / 'started').exists():
            time.sleep(.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, 'wait4', interrupted)
    monkeypatch.setattr(module, '_PATIENCE', 60 if words else .5)
    with pytest.raises(KeyboardInterrupt):
        module._run([sys.executable, '-c', CHILD, str(tmp_path), *words])
    assert (tmp_path / 'asked').exists()
    assert not alive(*pids)


def test_second_run_in_the_same_folder_is_refused(tmp_path):
    plan = pipeline(tmp_path, work('a'))
    with folder_lock(tmp_path, patience=0):
        with pytest.raises(BusyError, match='Another process'):
            plan.run(patience=.2)
    plan.run()


def test_changed_settings_are_refused_with_all_that_follows(tmp_path):
    plan = pipeline(tmp_path, work('a'), work('b', '{a.work_dir}/out'))
    plan.run()
    changed = pipeline(tmp_path, work('a', '{python}'),
                       work('b', '{a.work_dir}/out'))
    with pytest.raises(ValueError, match='/a .made with other.*/b .*Delete'):
        changed.run()
    # Neither a title nor the place of the folder is a setting.
    same = pipeline(tmp_path, work('a', title='A'),
                    work('b', '{a.work_dir}/out', show=['seed']))
    assert states(same) == ['done', 'done']
    moved = tmp_path.rename(tmp_path.with_name('moved'))
    plan = pipeline(moved, work('a'), work('b', '{a.work_dir}/out'))
    assert states(plan) == ['done', 'done']


def test_changed_config_is_noticed(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('lr = 1\n')
    stage = dict(name='a', type='train', config=str(config))
    key = pipeline(tmp_path, stage).stages['a'].key
    config.write_text('# a comment\nlr = 1\n')
    assert pipeline(tmp_path, stage).stages['a'].key == key
    config.write_text('lr = 2\n')
    assert pipeline(tmp_path, stage).stages['a'].key != key


def test_redone_input_makes_the_rest_stale(tmp_path):
    plan = pipeline(tmp_path, work('a'), work('b', needs=['a']))
    plan.run()
    for path in (tmp_path / 'a').iterdir():
        path.unlink()
    with pytest.raises(ValueError, match='b .*"a" was made anew'):
        plan.run()


def test_changed_variable_is_a_changed_setting(tmp_path):
    stage = work('a', '{data_root}')
    key = pipeline(tmp_path, stage, data_root='x').stages['a'].key
    assert key != pipeline(tmp_path, stage, data_root='y').stages['a'].key
    assert key == pipeline(
        tmp_path, stage, data_root='x', other='z').stages['a'].key


def test_commands_of_the_tools(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('lr = 1\n')
    (tmp_path / 'cam').mkdir()
    options = dict(data_root='{root}', model=dict(depth=50))
    plan = pipeline(
        tmp_path,
        dict(
            name='cam',
            type='train',
            config=str(config),
            cfg_options=options,
            args=['--amp'],
            gpus=2),
        dict(
            name='labels',
            type='pseudo_labels',
            config=str(config),
            checkpoint='{cam.checkpoint}'),
        dict(
            name='crf',
            type='pseudo_labels',
            config=str(config),
            from_seeds='{labels.work_dir}'),
        dict(
            name='test',
            type='test',
            config=str(config),
            checkpoint='{cam.checkpoint}'),
        root='data')
    commands = {
        name: ' '.join(stage.command())
        for name, stage in plan.stages.items()
    }
    assert commands['cam'].endswith(
        f'-m torch.distributed.run --standalone --nproc_per_node=2 {TOOLS}/'
        f'train.py {config} --work-dir {tmp_path}/cam --resume --launcher '
        'pytorch --amp --cfg-options data_root=data model.depth=50')
    assert commands['crf'] == (
        f'{sys.executable} {TOOLS}/make_pseudo_labels.py {config} '
        f'--from-seeds {tmp_path}/labels --out {tmp_path}/crf')
    assert '<checkpoint_of_cam>' in commands['test']
    assert list(plan.stages['crf'].needs) == ['labels']
    (tmp_path / 'cam' / 'epoch_1.pth').write_bytes(b'PK\5\6' + bytes(18))
    assert plan.stages['labels'].command()[3] == f'{tmp_path}/cam/epoch_1.pth'


def test_training_starts_from_a_checkpoint_until_it_has_its_own(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('lr = 1\n')
    stage = dict(
        name='a', type='train', config=str(config), start_from='{place}/x.pth')
    a, b = (
        pipeline(tmp_path, stage, place=place).stages['a']
        for place in ('here', 'there'))
    assert a.command()[-2:] == ['--resume', 'here/x.pth']
    assert a.key == b.key  # only the place differs
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'epoch_1.pth').write_bytes(b'PK\5\6' + bytes(18))
    assert a.command()[-1] == '--resume'


def test_processes_share_a_batch(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('lr = 1\n')
    stage = dict(
        name='a',
        type='train',
        config=str(config),
        gpus='{gpus}',
        total_batch=dict(warmup_dataloader=8, train_dataloader=16))

    def train(gpus, **settings):
        return pipeline(
            tmp_path, dict(stage, **settings), gpus=gpus).stages['a']

    words = ' '.join(train(4).command())
    assert '--nproc_per_node=4' in words
    assert words.endswith('warmup_dataloader.batch_size=2 '
                          'train_dataloader.batch_size=4')
    assert '--nproc_per_node' not in ' '.join(train(1).command())
    # It goes on with another number of processes, as batches keep their size.
    assert train(1).key == train(4).key
    assert train(1, total_batch={}).key == train(4, total_batch={}).key
    del stage['total_batch']
    assert train(1).key != train(4).key
    stage['total_batch'] = dict(train_dataloader=16)
    with pytest.raises(ValueError, match='batch of 16 .* by 3 processes'):
        train(3).command()
    with pytest.raises(ValueError, match='number of processes, got "two"'):
        train('two').command()


def test_stages_without_their_file_are_left_out(tmp_path, capfd):
    stages = [
        work('a'),
        work('b', only_if=f'{tmp_path}/val.txt'),
        work('c', '{b.work_dir}/out'),
        work('d')
    ]
    plan = pipeline(tmp_path, *stages)
    reason = f'left out: there is no {tmp_path}/val.txt'
    assert states(plan) == ['to do', reason, reason, 'to do']
    plan.run()
    assert states(plan) == ['done', reason, reason, 'done']
    assert f'[3/4] c: {reason}' in capfd.readouterr().out
    (tmp_path / 'val.txt').touch()
    plan.run()
    assert states(plan) == ['done'] * 4
    assert [runs(tmp_path, name) for name in 'abcd'] == [1] * 4


@pytest.mark.parametrize('stage, message', [
    (dict(name='a', type='trian'), 'type "trian"'),
    (dict(name='a b', type='train'), 'a b'),
    (dict(name='a', type='train'), 'lacks config'),
    (dict(name='a', type='command', argv=[], outputs=[],
          cfg_options={}), 'unknown settings cfg_options'),
    (dict(name='a', type='pseudo_labels',
          config='x'), 'checkpoint or from_seeds'),
    (dict(name='a', type='command', argv=['{b.work_dir}'],
          outputs=[]), '"b", which is not a stage before'),
    (dict(name='a', type='command', argv=['{nothing}'],
          outputs=[]), 'nothing'),
])
def test_bad_stage(tmp_path, stage, message):
    with pytest.raises(ValueError, match=message):
        pipeline(tmp_path, stage)


def test_bad_placeholder_and_names(tmp_path):
    with pytest.raises(ValueError, match='taken'):
        pipeline(tmp_path, work('a'), work('a'))
    plan = pipeline(tmp_path, work('a'), work('b', '{a.checkpoint}'))
    with pytest.raises(ValueError, match='a.checkpoint'):
        plan.stages['b'].command()
    with pytest.raises(ValueError, match='no stages'):
        pipeline(tmp_path)


def test_placeholder_of_a_number(tmp_path):
    """Alone it is that number, as an option has to be; else it is text."""
    stage = work('a')
    stage['argv'] += ['{share}', 'of {share}']
    stage = pipeline(tmp_path, stage, share=.5, gpus=2).stages['a']
    assert stage.command()[-2:] == ['0.5', 'of 0.5']
    settings = {'x': '{share}', 'y': 'a{share}', 'z': '{gpus}'}
    assert stage.resolve(settings) == {'x': .5, 'y': 'a0.5', 'z': '2'}


def test_broken_record(tmp_path):
    plan = pipeline(tmp_path, work('a'))
    plan.run()
    (tmp_path / 'a' / 'stage.json').write_text('{"run": 1}')
    with pytest.raises(ValueError, match='stage.json is not the record'):
        plan.run()


def test_table_and_dry_run(tmp_path, monkeypatch, capsys):
    write = ('import sys; open(sys.argv[1], "w").write(sys.argv[2])')
    metrics = '{a.work_dir}/metrics.json'
    stage = dict(
        name='a',
        type='command',
        title='CAM',
        argv=['{python}', '-c', write, metrics,
              json.dumps(ROWS)],
        outputs=[metrics],
        show=['pseudo labels'])
    config = tmp_path / 'config.py'
    config.write_text(f'stages = [{stage!r}]\n')
    main = runpy.run_path(f'{TOOLS}/run_pipeline.py')['main']
    words = ['', str(config), '--work-dir', str(tmp_path / 'run')]
    monkeypatch.setattr(sys, 'argv', [*words, '--dry-run'])
    main()
    text = capsys.readouterr().out
    assert 'a [command]: to do' in text
    assert f'outputs: {tmp_path}/run/a/metrics.json' in text
    assert not (tmp_path / 'run').exists()
    monkeypatch.setattr(sys, 'argv', words)
    main()
    table = capsys.readouterr().out.splitlines()[-3:]
    assert [c.strip() for c in table[0].split('|')[1:-1]
            ] == ['stage', 'what', 'split', 'threshold', 'mIoU']
    assert [c.strip() for c in table[2].split('|')[1:-1]
            ] == ['CAM', 'pseudo labels', 'train', '0.30', '60.12']
    rows = json.loads((tmp_path / 'run' / 'table.json').read_text())
    assert [row['mIoU'] for row in rows] == [60.123]
    assert '| CAM ' in (tmp_path / 'run' / 'results.md').read_text()


def test_results_say_where_they_come_from(tmp_path, monkeypatch):
    config, weights = tmp_path / 'config.py', tmp_path / 'weights.pth'
    config.write_text("randomness = dict(seed=3)\ndata_root = 'x'\n")
    weights.write_bytes(b'weights')
    stage = dict(
        name='a',
        type='test',
        title='A network',
        config=str(config),
        checkpoint=str(weights),
        cfg_options=dict(data_root='data/voc'))
    plan = pipeline(tmp_path, stage)
    write = f"open({str(tmp_path / 'a' / 'metrics.json')!r}, 'w')"
    monkeypatch.setattr(
        plan.stages['a'], 'command',
        lambda: [sys.executable, '-c', f"{write}.write('{{}}')"])
    plan.run()
    text = (tmp_path / 'results.md').read_text()
    cells = [c.strip() for c in text.splitlines()[-1].split('|')[1:-1]]
    sha256 = hashlib.sha256(b'weights').hexdigest()[:12]
    assert cells[:5] == ['A network', str(config), sha256, 'data/voc', '3']
    assert cells[5].startswith(__version__) and cells[6]
    assert float(cells[8]) > 1  # MiB of a bare interpreter
    # Taken up with other code: both are named.
    (tmp_path / 'a' / 'metrics.json').unlink()
    plan.code = '9.9.9'
    plan.run()
    text = (tmp_path / 'results.md').read_text().splitlines()[-1]
    assert f'{cells[5]}, 9.9.9' in text


def test_threshold_of_an_earlier_stage(tmp_path):
    """A sweep on two images; its threshold labels the other two."""
    root = generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 48)
    lines = (tmp_path / 'data/ImageSets/train_labels.txt').read_text()
    lines = lines.splitlines()
    for name, part in (('held_out', lines[:2]), ('rest', lines[2:])):
        (tmp_path / f'data/{name}.txt').write_text('\n'.join(part))
    for img_id in (line.split()[0] for line in lines):
        truth = load_label_map(f'{root}/SegmentationClass/{img_id}.png')
        present = np.setdiff1d(truth, [0, 255])
        cam = np.where(truth == present[:, None, None], .9, .625)
        save_seed(tmp_path / f'cam/seeds/{img_id}.npz', cam, present - 1)
    config = f'{ROOT}/configs/cam/cam_efficientnet-lite0_custom.py'
    stages = [
        dict(
            name='sweep',
            type='command',
            argv=[
                '{python}', '{tools}/analysis_tools/sweep_threshold.py',
                config, '{seeds}', '--split', 'held_out.txt', '--out',
                '{sweep.work_dir}/threshold.json', '--cfg-options',
                'data_root={data_root}'
            ],
            outputs=['{sweep.work_dir}/threshold.json']),
        dict(
            name='labels',
            type='pseudo_labels',
            config=config,
            from_seeds='{seeds}',
            args=['--threshold', '{sweep.work_dir}/threshold.json'],
            cfg_options={
                'data_root': '{data_root}',
                'test_dataloader.dataset.id_file': 'rest.txt',
                'pseudo_labels.num_workers': 0
            })
    ]
    plan = pipeline(
        tmp_path / 'work', *stages, data_root=root, seeds=tmp_path / 'cam')
    assert list(plan.stages['labels'].needs) == ['sweep']
    table = plan.run()
    assert states(plan) == ['done', 'done']
    rows = plan.rows()
    assert [(row['what'], row['threshold_source']) for row in rows
            ] == [('seed', 'oracle'),
                  ('seed', 'best on held_out.txt (2 images)'),
                  ('pseudo labels', 'best on held_out.txt (2 images)')]
    assert {(row['split'], row['threshold'])
            for row in rows} == {('rest.txt', .63)}
    assert table.count('| best on held_out.txt (2 images) |') == 2
    # Another choice is another input of the labels.
    (tmp_path / 'work/sweep/stage.json').unlink()
    with pytest.raises(ValueError, match='labels .*"sweep" was made anew'):
        plan.run()


def test_option_words():
    options = {
        'a.b': 1,
        'c': dict(d=.5, e=None, f=True),
        'g': ['x', 'y'],
        'h': (1, 2),
        'path': '/data/voc'
    }
    assert option_words(options) == [
        'a.b=1', 'c.d=0.5', 'c.e=None', 'c.f=True', "g=['x','y']", 'h=(1,2)',
        'path=/data/voc'
    ]


@pytest.mark.parametrize('value', ['a b', '1', 'a,b', {}, ['a b']])
def test_options_that_would_arrive_changed(value):
    with pytest.raises(ValueError, match='key = .* cannot be given'):
        option_words(dict(key=value))
