# Copyright (c) mmktse authors. All rights reserved.
from mmktse.utils import format_table


def test_format_table():
    columns = [('stage', 'stage', ''), ('threshold', 'threshold', '.2f'),
               ('mIoU', 'mIoU', '.2f')]
    assert format_table([], columns) == ''
    table = format_table([dict(stage='x', mIoU=7.),
                          dict(stage='long')], columns)
    assert table.splitlines() == [
        '| stage | mIoU |', '| ----- | ---- |', '| x     | 7.00 |',
        '| long  |      |'
    ]
