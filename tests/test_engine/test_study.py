# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path

import pytest

from mmktse.engine.pipeline import Pipeline
from mmktse.engine.study import Study
from mmktse.utils import folder_lock

TOOLS = str(Path(__file__).parents[2] / 'tools')
# Notes that it was run and measures its seed and rate.
WORK = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
with open(folder / 'runs', 'a') as file:
    file.write('run\\n')
rate = float(sys.argv[3]) + int(sys.argv[2])
metrics = dict(oracle=dict(mIoU=rate, IoU=[rate, 1]), threshold=rate / 100)
(folder / 'metrics.json').write_text(json.dumps(metrics))
"""
COLUMNS = [
    dict(
        title='seed', value='a/metrics/oracle/mIoU', at='a/metrics/threshold'),
    dict(title='first', value='a/metrics/oracle/IoU/0', format='.2f'),
    dict(title='twice', value='a/metrics/oracle/mIoU', factor=2),
    dict(title='never', value='b/metrics/oracle/mIoU'),
]


def stages(rate='1', *words):
    return [
        dict(
            name='a',
            type='command',
            argv=[
                '{python}', '-c', WORK, '{a.work_dir}', '{seed}', rate, *words
            ],
            outputs=['{a.work_dir}/metrics.json'])
    ]


def study(folder, *rows, columns=COLUMNS, work='folders', **lists):
    lists = dict(dict(one=stages('1'), ten=stages('10')), **lists)
    rows = [
        dict(dict(config='c.py', seeds=[0], stages='one'), **row)
        for row in rows
    ]
    tables = dict(Figures=columns, Nothing=[dict(title='a', value='no')])
    return Study(rows, lists, tables, str(folder / work),
                 str(folder / 'results'), TOOLS, {})


def runs(folder, name):
    path = folder / 'folders' / name / 'a' / 'runs'
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_table_of_means_and_ranges(tmp_path, capfd):
    plan = study(tmp_path, dict(name='x', title='X', seeds=[0, 2]),
                 dict(name='y', stages='ten'), dict(name='z'))
    plan.run(['x', 'y'])
    heading, _, *lines = plan.report().splitlines()
    assert heading == '**Figures**'
    cells = [[c.strip() for c in line.split('|')[1:-1]] for line in lines]
    assert cells[0] == ['row', 'seeds', 'seed', 'first', 'twice']
    assert cells[2:] == [[
        'X', '2', '2.0 ± 1.0 (0.01, 0.03)', '2.00 ± 1.00', '4.0 ± 2.0'
    ], ['y', '1', '10.0 (0.10)', '10.00', '20.0']]
    assert plan.report(['y']).splitlines()[4:] == [
        '| y   | 1     | 10.0 (0.10) | 10.00 | 20.0  |'
    ]
    # First all rows once, then the further seeds.
    lines = capfd.readouterr().out
    assert lines.index('/y_s0/') < lines.index('/x_s2/')
    assert plan.describe().splitlines()[-1] == 'z_s0: a: to do'


def test_finished_runs_are_not_repeated_anywhere(tmp_path, capfd):
    rows = [dict(name='x', seeds=[0, 1])]
    study(tmp_path, *rows).run()
    # The work folder stays on the machine, the figures travel.
    elsewhere = study(tmp_path, *rows, work='other')
    elsewhere.run()
    assert 'x_s1: finished (' in capfd.readouterr().out
    assert not (tmp_path / 'other').exists()
    (tmp_path / 'results' / 'x_s0.json').unlink()
    study(tmp_path, *rows).run()
    assert runs(tmp_path, 'x_s0') == 1  # only collected once more
    assert 'x_s0: finished' in study(tmp_path, *rows).describe()


def test_figures_of_finished_stages_are_kept(tmp_path):
    fails = dict(
        name='b', type='command', argv=['{python}', '-c', '1/0'], outputs=[])
    plan = study(tmp_path, dict(name='x'), one=[*stages(), fails])
    with pytest.raises(RuntimeError, match='Stage "b" failed'):
        plan.run()
    assert '| x   | 1     | 1.0 (0.01) |' in plan.report()
    assert plan.describe() == 'x_s0: a: done, b: half done'


def test_half_done_seeds_are_not_counted(tmp_path):
    """The second run lacks what its stage b measures."""
    fails = dict(
        name='b',
        type='command',
        argv=[
            '{python}', '-c', f'import sys; 1 / (1 - int(sys.argv[2])){WORK}',
            '{b.work_dir}', '{seed}', '5'
        ],
        outputs=['{b.work_dir}/metrics.json'])
    columns = [
        dict(
            title='b', value='b/metrics/oracle/mIoU', at='b/metrics/threshold')
    ]
    plan = study(
        tmp_path,
        dict(name='x', seeds=[0, 1]),
        columns=columns,
        one=[*stages(), fails])
    with pytest.raises(RuntimeError, match='Stage "b" failed'):
        plan.run()
    assert '| x   | 1     | 5.0 (0.05) |' in plan.report()
    columns.append(COLUMNS[1])
    assert '| x   | 1-2   | 5.0 (0.05) | 1.50 ± 0.50 |' in plan.report()


def test_row_after_another(tmp_path):
    uses = stages('1', '{after}/a/metrics.json')
    rows = [
        dict(name='x', seeds=[0, 1]),
        dict(name='y', after='x', stages='uses', seeds=[1])
    ]
    plan = study(tmp_path, *rows, uses=uses)
    assert plan.runs['y'][0].pipeline.stages['a'].command(
    )[-1] == f'{tmp_path}/folders/x_s1/a/metrics.json'
    plan.run(['y'])
    assert runs(tmp_path, 'x_s1') == runs(tmp_path, 'y_s1') == 1
    assert runs(tmp_path, 'x_s0') == 0
    # What comes before belongs to the settings.
    rows[0]['stages'] = 'ten'
    with pytest.raises(ValueError, match=r'y_s1.json was measured with other'):
        study(tmp_path, *rows, uses=uses).run(['y'])
    plan = study(tmp_path, *rows, uses=uses)
    assert 'y_s1: finished with other settings' in plan.describe()
    assert '| y   | 1 ' in plan.report()


def test_rows_in_a_chain(tmp_path):
    """One row alone does all that come before it, once."""
    uses = stages('1', '{after}/a/metrics.json')
    rows = [
        dict(name='x'),
        dict(name='y', after='x', stages='uses'),
        dict(name='z', after='y', stages='uses')
    ]
    study(tmp_path, *rows, uses=uses).run(['z'])
    study(tmp_path, *rows, uses=uses).run()
    assert [runs(tmp_path, f'{name}_s0') for name in 'xyz'] == [1, 1, 1]


def test_figures_of_the_row_before_are_left_alone(tmp_path):
    rows = [dict(name='x'), dict(name='y', after='x')]
    study(tmp_path, *rows).run(['x'])
    path = tmp_path / 'results' / 'x_s0.json'
    before = path.read_bytes()
    rows[0]['stages'] = 'ten'
    with pytest.raises(ValueError, match='x_s0.json was measured with other'):
        study(tmp_path, *rows, work='other').run(['y'])
    assert path.read_bytes() == before
    # The same settings on another machine: its weights are made again.
    rows[0]['stages'] = 'one'
    content = dict(json.loads(before), row='as measured')
    path.write_text(json.dumps(content))
    study(tmp_path, *rows, work='other').run(['y'])
    assert (tmp_path / 'other' / 'x_s0' / 'a' / 'runs').exists()
    assert json.loads(path.read_text()) == content


def test_run_of_another_process_is_passed_over(tmp_path, capfd, monkeypatch):
    run = Pipeline.run
    monkeypatch.setattr(
        Pipeline,
        'run',
        lambda self, patience=.1, **kwargs: run(self, patience, **kwargs))
    plan = study(tmp_path, dict(name='x'), dict(name='y'))
    with folder_lock(plan.runs['x'][0].pipeline.work_dir, 0):
        plan.run()
    assert 'x_s0: Another process' in capfd.readouterr().out
    assert (runs(tmp_path, 'x_s0'), runs(tmp_path, 'y_s0')) == (0, 1)


def test_curves_join_and_average(tmp_path):
    plan = study(tmp_path, dict(name='x', seeds=[0, 1]),
                 dict(name='y', after='x', seeds=[0, 1]))

    def log(name, steps, values):
        run = next(r for runs in plan.runs.values() for r in runs
                   if r.name == name)
        run.path.parent.mkdir(exist_ok=True)
        curve = dict(steps=steps, values=values, unit='iteration')
        run.path.write_text(
            json.dumps(
                dict(
                    key=run.key,
                    done=True,
                    stages=dict(a=dict(curves=dict(l=curve))))))

    log('x_s0', [1, 2], [1., 2.])
    log('x_s1', [1, 2], [3., 4.])
    log('y_s0', [3, 4], [5., 6.])
    assert list(plan.curves()['y']['a/l']['steps']) == [1, 2, 3, 4]
    log('y_s1', [3], [9.])
    curve = plan.curves()['y']['a/l']
    assert list(curve['steps']) == [1, 2, 3]
    assert list(curve['values']) == [2, 3, 7]
    assert (list(curve['low']), list(curve['high'])) == ([1, 2, 5], [3, 4, 9])
    # It may count its steps anew.
    log('y_s0', [2, 4], [5., 6.])
    log('y_s1', [2, 4], [5., 6.])
    assert list(plan.curves()['y']['a/l']['steps']) == [2, 4]
    assert list(plan.curves(['x'])) == ['x']


@pytest.mark.parametrize('row, message', [
    (dict(), 'lacks name'),
    (dict(name='x'), 'is there twice'),
    (dict(name='y', stages='no'), 'has the stages "no"'),
    (dict(name='y', after='z'), 'comes after "z"'),
    (dict(name='y', after='x', seeds=[0, 5]), r'seeds that "x" lacks: \[5\]'),
])
def test_bad_row(tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        study(tmp_path, dict(name='x'), row)


def test_bad_name_and_broken_figures(tmp_path):
    plan = study(tmp_path, dict(name='x'))
    with pytest.raises(ValueError, match=r"no rows \['a'\]; there are x"):
        plan.run(['a'])
    path = tmp_path / 'results' / 'x_s0.json'
    path.parent.mkdir()
    path.write_text('{')
    with pytest.raises(ValueError, match='x_s0.json does not hold'):
        plan.run()
