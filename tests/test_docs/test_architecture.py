# Copyright (c) mmktse authors. All rights reserved.
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_walks_name_what_there_is():
    text = (ROOT / 'docs/architecture.md').read_text()
    walks = text.partition('## Three walks')[2].partition('\n## ')[0]
    names = re.findall(r'`([\w./-]+)`', walks)
    paths = [name for name in names if '/' in name and '<' not in name]
    assert len(paths) > 20
    for path in paths:
        places = [ROOT / path, ROOT / 'mmktse' / path]
        assert any(place.exists() for place in places), path
    source = '\n'.join(path.read_text()
                       for path in (ROOT / 'mmktse').rglob('*.py'))
    objects = [
        name for name in names
        if re.fullmatch(r'[A-Z]\w+(\.\w+)?|[a-z]+(_[a-z]+)+', name)
    ]
    assert len(objects) > 20
    for name in objects:
        for part in name.split('.'):
            assert re.search(rf'\b{part}\b', source), name
