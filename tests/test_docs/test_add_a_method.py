# Copyright (c) mmktse authors. All rights reserved.
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'add_a_method.md').read_text()
PROJECT = ROOT / 'projects' / 'example_method'


def test_blocks_are_the_files():
    shown = re.findall(r'^`(\S+)`:\n\n```python\n(.*?)```$', PAGE, re.M | re.S)
    for path, block in shown:
        assert block == (ROOT / path).read_text(), path
    sources = {
        str(path.relative_to(ROOT))
        for folder in ('example_method', 'configs')
        for path in (PROJECT / folder).glob('*.py')
    }
    assert sources <= {path for path, _ in shown}


def test_no_other_block_holds_code():
    assert PAGE.count('```python') == len(
        re.findall(r'^`\S+`:\n\n```python$', PAGE, re.M))


def test_tree():
    tree = re.search(r'```text\n(.*?)```', PAGE, re.S).group(1)
    names = re.findall(r'[├└]── (\S+)', tree)
    there = {
        path.name + '/' * path.is_dir()
        for folder in ('.', 'configs', 'example_method')
        for path in (PROJECT / folder).iterdir() if path.name != '__pycache__'
    }
    assert set(names) == there
