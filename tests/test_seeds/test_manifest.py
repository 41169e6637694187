# Copyright (c) mmktse authors. All rights reserved.
import json
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmktse.seeds.manifest import Manifest, check_complete, label_path

SETTINGS = dict(labels=dict(threshold=.3, refiner=dict(dilations=(1, 2))))
INFO = dict(config='configs/a.py', checkpoint='b.pth')


def _finished(folder, ids=('x', 'y')):
    manifest = Manifest(folder, SETTINGS, INFO)
    manifest.start()
    for name in ids:
        label_path(folder, name).parent.mkdir(exist_ok=True)
        label_path(folder, name).touch()
    manifest.finish(ids, threshold=.3)
    return manifest


def test_finished_folder_is_accepted(tmp_path):
    _finished(tmp_path)
    assert check_complete(tmp_path)['ids'] == ['x', 'y']
    assert check_complete(tmp_path, ['y'])['threshold'] == .3
    again = Manifest(tmp_path, SETTINGS, INFO)
    again.start()
    assert again.complete


def test_other_settings_are_refused(tmp_path):
    _finished(tmp_path)
    other = Manifest(tmp_path, dict(labels=dict(threshold=.4)), INFO)
    with pytest.raises(ValueError, match='threshold was 0.3, is now 0.4'):
        other.start()


def test_other_paths_are_no_other_settings(tmp_path):
    _finished(tmp_path)
    Manifest(tmp_path, SETTINGS, dict(config='elsewhere.py')).start()


def test_files_without_manifest_are_refused(tmp_path):
    label_path(tmp_path, 'x').parent.mkdir()
    with pytest.raises(ValueError, match='nobody knows'):
        Manifest(tmp_path, SETTINGS, INFO).start()


def test_absent_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist.*CHECKPOINT'):
        check_complete(tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match='has no manifest'):
        check_complete(tmp_path)


def test_unfinished_folder_names_the_command(tmp_path):
    Manifest(tmp_path, SETTINGS, INFO).start()
    with pytest.raises(
            FileNotFoundError,
            match='not finished.*make_pseudo_labels.py configs/a.py b.pth '
            f'--out {tmp_path}'):
        check_complete(tmp_path)


def test_command_of_labels_made_from_seeds(tmp_path):
    Manifest(tmp_path, SETTINGS, dict(config='a.py', from_seeds='s')).start()
    with pytest.raises(
            FileNotFoundError, match='py a.py --from-seeds s --out'):
        check_complete(tmp_path)


def test_missing_label_is_named(tmp_path):
    _finished(tmp_path)
    label_path(tmp_path, 'y').unlink()
    with pytest.raises(FileNotFoundError, match=r'gone.*\(y'):
        check_complete(tmp_path)
    check_complete(tmp_path, ['x'])


def test_foreign_image_is_named(tmp_path):
    _finished(tmp_path)
    with pytest.raises(FileNotFoundError, match='1 of 2 images .z, .*another'):
        check_complete(tmp_path, ['x', 'z'])


@pytest.mark.parametrize('text', ['{"complete', '[]', '{"complete": true}'])
def test_broken_manifest_is_named(tmp_path, text):
    (tmp_path / 'manifest.json').write_text(text)
    with pytest.raises(ValueError, match='manifest.json is not a manifest'):
        check_complete(tmp_path)


def test_bytes_do_not_depend_on_interruption(tmp_path):
    _finished(tmp_path / 'a')
    Manifest(tmp_path / 'b', SETTINGS, INFO).start()
    _finished(tmp_path / 'b')
    first, second = [(tmp_path / name / 'manifest.json').read_bytes()
                     for name in 'ab']
    assert first == second
    assert json.loads(first)['complete']


@pytest.mark.parametrize('change', [
    lambda content: content['ids'].remove('x'),
    lambda content: content['ids'].append('z'),
    lambda content: content['settings']['labels'].update(threshold=.4),
    lambda content: content.update(threshold=.4),
])
def test_change_by_hand_is_refused(tmp_path, change):
    _finished(tmp_path)
    path = tmp_path / 'manifest.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    for work in (check_complete,
                 lambda folder: Manifest(folder, SETTINGS, INFO).start()):
        with pytest.raises(
                ValueError, match='manifest.json .*changed by hand.*bring'):
            work(tmp_path)


def test_ids_that_lead_out_of_the_folder(tmp_path):
    _finished(tmp_path)
    path = tmp_path / 'manifest.json'
    content = json.loads(path.read_text())
    content['ids'].append('../x')
    del content['sha256']
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match='manifest.json .*leads out'):
        check_complete(tmp_path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda child: st.lists(child) | st.dictionaries(st.text(), child),
    max_leaves=5)
_SECTIONS = st.dictionaries(
    st.text(), st.dictionaries(st.text(), _VALUES, max_size=3), max_size=3)


@given(settings=_SECTIONS, other=_SECTIONS)
def test_any_settings_are_known_again(settings, other):
    with tempfile.TemporaryDirectory() as folder:
        Manifest(folder, settings, INFO).start()
        first = open(f'{folder}/manifest.json', 'rb').read()
        Manifest(folder, settings, INFO).start()
        assert open(f'{folder}/manifest.json', 'rb').read() == first
        leaves = [{
            (section, key): value
            for section, content in sections.items()
            for key, value in content.items() if value is not None
        } for sections in (settings, other)]
        if leaves[0] == leaves[1]:
            Manifest(folder, other, INFO).start()
        else:
            with pytest.raises(ValueError, match='made with other settings'):
                Manifest(folder, other, INFO).start()
