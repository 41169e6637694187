# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
import runpy
import sys

import pytest

from mmktse.datasets.image_labels import read_labels

SCRIPT = osp.join(
    osp.dirname(__file__),
    '../../../tools/dataset_converters/voc_xml_to_labels.py')


@pytest.fixture
def run(tmp_path, monkeypatch):
    for img_id, names in dict(
            a=('dog', 'cat', 'dog'), b=('unicorn', ), c=('cat', )).items():
        objects = ''.join(f'<object><name>{name}</name></object>'
                          for name in names)
        (tmp_path /
         f'{img_id}.xml').write_text(f'<annotation>{objects}</annotation>')

    def call(*args):
        out = tmp_path / 'out/labels.txt'
        monkeypatch.setattr(
            sys, 'argv',
            ['tool', str(tmp_path),
             str(out), *map(str, args)])
        runpy.run_path(SCRIPT, run_name='__main__')
        labels, problems = read_labels(str(out))
        assert not problems
        return {img_id: entry.tags for img_id, entry in labels.items()}

    return call


def test_ids(run, tmp_path):
    (tmp_path / 'ids.txt').write_text('c\na\n')
    labels = run('--id-file', tmp_path / 'ids.txt')
    assert list(labels.items()) == [('c', ['cat']), ('a', ['cat', 'dog'])]
    (tmp_path / 'ids.txt').write_text('c\nx\n')
    with pytest.raises(SystemExit, match='id x has no XML file'):
        run('--id-file', tmp_path / 'ids.txt')


def test_unknown_class(run, tmp_path):
    with pytest.raises(SystemExit, match=r"b\.xml: unknown class 'unicorn'"):
        run()
    (tmp_path / 'classes.txt').write_text('dog\nunicorn\n')
    with pytest.raises(SystemExit, match="unknown class 'cat'"):
        run('--classes', tmp_path / 'classes.txt')
    labels = run('--classes', tmp_path / 'classes.txt', '--skip-unknown')
    assert labels == dict(a=['dog'], b=['unicorn'])
