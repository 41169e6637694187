# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest
from mmengine.fileio import load

ROOT = Path(__file__).parents[2]
METAFILES = load(str(ROOT / 'model-index.yml'))['Import']


def test_every_folder_of_configs_is_indexed():
    folders = {
        str(path.parent.relative_to(ROOT))
        for path in ROOT.glob('configs/*/metafile.yml')
    }
    assert folders == {str(Path(path).parent) for path in METAFILES}


@pytest.mark.parametrize('path', METAFILES)
def test_every_config_is_listed_once(path):
    meta = load(str(ROOT / path))
    collections = {entry['Name'] for entry in meta['Collections']}
    for entry in meta['Collections']:
        assert (ROOT / entry['README']).is_file()
        assert (ROOT / entry['Code']['URL']).is_file()
    listed = sorted(entry['Config'] for entry in meta['Models'])
    there = sorted(
        str(file.relative_to(ROOT))
        for file in (ROOT / path).parent.glob('*.py'))
    assert listed == there
    readme = (ROOT / path).with_name('README.md').read_text()
    for entry in meta['Models']:
        assert Path(entry['Config']).stem == entry['Name']
        assert entry['In Collection'] in collections
        assert entry['Name'] in readme
