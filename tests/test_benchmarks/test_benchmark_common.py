# Copyright (c) mmktse authors. All rights reserved.
import json
from types import SimpleNamespace

import pytest


@pytest.fixture
def common(load):
    return load('common')


def test_ratio_says_how_many_times_better(common):
    assert common.Row('a', 'b', 2., 6.).ratio == 3
    assert common.Row('a', 'b', 2., 6., 'GiB').ratio == 3
    assert common.Row('a', 'b', 6., 2., 'images/s').ratio == 3


def test_table_and_json_of_rows(common, tmp_path, capsys):
    rows = [
        common.Row('step', 'four forwards', 2., 3., target=1.5),
        common.Row('pool', 'one process', 4., 2., 'images/s')
    ]
    args = SimpleNamespace(threads=1, json=str(tmp_path / 'out.json'))
    for _ in range(2):
        common.report(args, lambda _: rows)
    lines = capsys.readouterr().out.splitlines()
    assert 'torch' in lines[0] and 'threads 1' in lines[0]
    assert lines[3:5] == [
        '| step | four forwards | 2 s | 3 s | 1.50 | 1.5 |',
        '| pool | one process | 4 images/s | 2 images/s | 2.00 |  |'
    ]
    first, second = map(json.loads, open(args.json))
    assert first == second and first['rows'][0]['ratio'] == 1.5
    assert first['settings'] == dict(threads=1)


def test_only_what_stands_between_the_comments_is_replaced(common, tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('a\n<!-- x begin -->\nold\n<!-- x end -->\nb\n')
    for text in ('| 1 |', '| 2 |'):
        common.replace_between(page, 'x', text)
    assert page.read_text() == (
        'a\n<!-- x begin -->\n| 2 |\n<!-- x end -->\nb\n')
    with pytest.raises(SystemExit, match='page.md has no "<!-- y begin -->"'):
        common.replace_between(page, 'y', '')


def test_functions_are_timed_in_turn(common):
    calls = []
    seconds = common.medians({k: lambda k=k: calls.append(k) for k in 'ab'}, 2)
    assert calls == list('ab' * 3) and set(seconds) == set('ab')
