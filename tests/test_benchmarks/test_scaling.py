# Copyright (c) mmktse authors. All rights reserved.
import pytest


def test_three_tables(load, tmp_path, capsys):
    pytest.importorskip('timm', reason='of the extra quickstart')
    page = tmp_path / 'page.md'
    page.write_text('<!-- scaling begin -->\n<!-- scaling end -->')
    load('scaling').main(
        '--images 2 4 --classes 3 7 --ranks 1 --size 40x56 --crop 32 '
        f'--pairs 2 --repeats 1 --out {page}'.split())
    tables = page.read_text().split('\n\n')[1:]
    assert [t.splitlines()[0].split()[1]
            for t in tables] == ['images', 'classes', 'processes']
    assert [len(t.splitlines()) for t in tables[:2]] == [4, 4]
