# Copyright (c) mmktse authors. All rights reserved.
import json

import pytest

from mmktse.visualization.report_run import find_seeds, read_metrics


def manifest(**info):
    return dict(info=info, settings=dict(seeds=dict(origin='unknown')))


def test_seeds_lie_in_the_folder_or_where_they_came_from(dataset, tmp_path):
    run, other = tmp_path / 'run', tmp_path / 'other'
    assert find_seeds(run, manifest()) == run
    assert find_seeds(other, manifest()) is None
    assert find_seeds(other, manifest(from_seeds=str(run))) == run
    gone = manifest(from_seeds=str(tmp_path / 'gone'))
    assert find_seeds(other, gone) is None


def test_seeds_of_another_network_are_left_out(dataset, tmp_path):
    made = manifest(from_seeds=str(tmp_path / 'run'))
    made['settings']['seeds'] = dict(checkpoint_sha256='other')
    assert find_seeds(tmp_path / 'other', made) is None


def test_metrics(tmp_path):
    assert read_metrics(tmp_path) == {}
    stored = dict(rows=[dict(what='seed', mIoU=50.)])
    path = tmp_path / 'metrics.json'
    path.write_text(json.dumps(stored))
    assert read_metrics(tmp_path) == stored


@pytest.mark.parametrize('text, problem', [('{', 'is not JSON'),
                                           ('[]', 'has no rows'),
                                           ('{"rows": [1]}', 'has no rows')])
def test_other_files_are_refused(tmp_path, text, problem):
    (tmp_path / 'metrics.json').write_text(text)
    with pytest.raises(ValueError, match=f'metrics.json.*{problem}.*delete'):
        read_metrics(tmp_path)
