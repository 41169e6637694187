# Copyright (c) mmktse authors. All rights reserved.
import json

import pytest


@pytest.fixture
def run(load):
    return load('run')


def test_all_run_quickly_and_give_one_table(run, tmp_path):
    pytest.importorskip('timm', reason='of the extra quickstart')
    pytest.importorskip('pydensecrf', reason='of the extra crf')
    out = tmp_path / 'out.json'
    run.main(['--quick', '--out', str(out)])
    result = json.loads(out.read_text())
    whats = ' '.join(row['what'] for row in result['rows'])
    for word in ('KTSE step', 'CAM inference', 'PAR', 'label making',
                 'threshold sweep', 'dense CRF', 'training loader',
                 'random walk', 'EfficientNet-Lite0'):
        assert word in whats
    targets = {row['target'] for row in result['rows']}
    assert targets == {None, 1.5, 3, 2, 20, .9, 1}
    assert {'cpu', 'cores', 'threads', 'torch'} <= set(result['hardware'])


def test_table_goes_between_the_comments(run, tmp_path):
    page = tmp_path / 'performance.md'
    page.write_text('text\n<!-- benchmarks begin -->\n<!-- benchmarks end -->')
    words = ['--quick', '--only', 'par', 'random_walk', '--out', str(page)]
    run.main(words)
    first = page.read_text()
    assert first.count('\n| ') == 4 and first.startswith('text\n')
    run.main(words)
    assert page.read_text().count('\n| ') == 4


def test_plans_name_the_same_benchmarks(run):
    assert list(run.RUNS) == list(run.QUICK) and set(run.CUDA) < set(run.RUNS)
    for plan in (run.RUNS, run.CUDA, run.QUICK):
        for name, variants in plan.items():
            for words in variants:
                __import__(name).parse_args(words.split())


def test_page_has_a_place_for_each_table(load):
    common = load('common')
    page = (common.ROOT / 'docs/performance.md').read_text()
    for name in ('benchmarks', 'scaling'):
        assert page.count(f'<!-- {name} begin -->\n') == 1
        assert page.count(f'\n<!-- {name} end -->') == 1
    for name in load('run').RUNS:
        assert f'`{name}.py`' in page
