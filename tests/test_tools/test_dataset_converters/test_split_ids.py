# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
import random
import runpy
import sys

import pytest

SCRIPT = osp.join(
    osp.dirname(__file__), '../../../tools/dataset_converters/split_ids.py')
hold_out = runpy.run_path(SCRIPT)['hold_out']


@pytest.fixture
def run(tmp_path, monkeypatch):

    def call(text, *args):
        paths = [tmp_path / name for name in ('list.txt', 'a.txt', 'b.txt')]
        paths[0].write_text(text)
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, [*paths, *args])])
        runpy.run_path(SCRIPT, run_name='__main__')
        return [path.read_text().splitlines() for path in paths[1:]]

    return call


def images(count=200):
    """Frequent and rare classes: c0 in every image, c9 in two."""
    return {
        f'im{i}':
        ['c0', *(f'c{k}' for k in range(1, 10) if i %
                 (k * k + k) == 0)][:3] + ['c9'] * (i in (7, 8))
        for i in range(count)
    }


def test_every_class_is_held_out_and_stays():
    data = images()
    classes = {tag for tags in data.values() for tag in tags}
    for seed in range(20):
        drawn = hold_out(data, .1, seed)
        assert len(drawn) == 20
        for part in (drawn, set(data) - drawn):
            assert {tag for name in part for tag in data[name]} == classes
    assert hold_out(data, .1, 1) != hold_out(data, .1, 2)


def test_order_of_the_lines_does_not_matter():
    data = images()
    names = list(data)
    random.Random(0).shuffle(names)
    shuffled = {name: data[name][::-1] for name in names}
    assert hold_out(shuffled, .1) == hold_out(data, .1)


def test_without_classes():
    data = dict.fromkeys(images(50), [])
    drawn = hold_out(data, .2)
    assert len(drawn) == 10
    # No pattern of the names: not the first ones, nor the last.
    assert drawn != hold_out(data, .2, 1)
    assert len(hold_out(dict(a=[], b=[]), .9)) == 1


def test_only_image_of_a_class_stays(run, capsys):
    held_out, rest = run('a cat\nb cat dog\nc cat\n', '--share', .34)
    assert 'b cat dog' in rest
    assert len(held_out) == 1
    assert 'No image of dog could be held out' in capsys.readouterr().out


def test_files(run, capsys):
    text = ''.join(f'im{i} {"cat dog" if i % 2 else "dog"}  # x\n'
                   for i in range(20))
    held_out, rest = run(text, '--share', .25, '--seed', 3)
    assert (len(held_out), len(rest)) == (5, 15)
    lines = text.replace('  # x', '').splitlines()
    assert sorted(held_out + rest) == sorted(lines)
    # In the order of the list.
    assert held_out == [line for line in lines if line in held_out]
    assert '5 of 20 images in' in capsys.readouterr().out
    assert run(text, '--share', .25, '--seed', 3) == [held_out, rest]


def test_labels_of_a_table(run, tmp_path, monkeypatch):
    (tmp_path /
     'l.csv').write_text('image,tags\n' +
                         ''.join(f'im{i}.jpg,hot dog{";cat" * (i % 2)}\n'
                                 for i in range(10)))
    paths = [str(tmp_path / name) for name in ('l.csv', 'a.txt', 'b.txt')]
    monkeypatch.setattr(sys, 'argv', ['tool', *paths, '--share', '.2'])
    runpy.run_path(SCRIPT, run_name='__main__')
    parts = [open(path).read().split() for path in paths[1:]]
    assert [len(part) for part in parts] == [2, 8]
    assert sorted(sum(parts, [])) == [f'im{i}' for i in range(10)]
    # Both classes are held out.
    assert {int(name[2:]) % 2 for name in parts[0]} >= {1}
    (tmp_path / 'l.csv').write_text('im 1,cat\nim2,dog\n')
    with pytest.raises(SystemExit, match="l.csv:1: id 'im 1' has a blank"):
        runpy.run_path(SCRIPT, run_name='__main__')


def test_bad_input(run, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match='list.txt:2: id a is there already'):
        run('a cat\na.jpg dog\n')
    with pytest.raises(SystemExit, match='lists 1 images'):
        run('a cat\n')
    for args, message in ((['x', 'a', 'a'], 'three files'),
                          (['x', 'a', 'b', '--share', '1'], 'between 0')):
        monkeypatch.setattr(sys, 'argv', ['tool', *args])
        with pytest.raises(SystemExit):
            runpy.run_path(SCRIPT, run_name='__main__')
        assert message in capsys.readouterr().err
    monkeypatch.setattr(sys, 'argv', ['tool', str(tmp_path / 'no'), 'a', 'b'])
    with pytest.raises(SystemExit, match='error: There is no list'):
        runpy.run_path(SCRIPT, run_name='__main__')
