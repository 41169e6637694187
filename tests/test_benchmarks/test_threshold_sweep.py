# Copyright (c) mmktse authors. All rights reserved.
import json

import numpy as np
import pytest

from mmktse.seeds import save_label_map

SMALL = '--images 12 --size 60x50 --classes 3'.split()


@pytest.fixture
def bench(load):
    return load('threshold_sweep')


def test_equal_sweeps_are_timed(bench, tmp_path, capsys):
    out = tmp_path / 'out.json'
    for words in (['--repeats', '2'], ['--all-thresholds']):
        bench.main([*SMALL, *words, '--json', str(out)])
    printed = capsys.readouterr().out
    assert 'Equal IoU at 20 thresholds' in printed
    assert 'Equal IoU at 101 thresholds' in printed
    first, second = map(json.loads, out.read_text().splitlines())
    assert first['settings']['size'] == [60, 50]
    assert first['rows'][0]['target'] == second['rows'][0]['target'] == 20


def test_differences_are_noticed(bench, monkeypatch):
    confusion_matrix = bench.confusion_matrix

    def faulty(*args):
        confusion = confusion_matrix(*args)
        confusion[0, 0] += 1
        return confusion

    monkeypatch.setattr(bench, 'confusion_matrix', faulty)
    with pytest.raises(SystemExit, match='Not equal: IoU differs'):
        bench.main(SMALL)
    monkeypatch.undo()
    monkeypatch.setattr(bench, 'save_seed', lambda *_: None)
    monkeypatch.setattr(bench, 'one_pass', bench.many_passes)
    monkeypatch.setattr(
        bench.np, 'save',
        lambda path, cam: path.with_suffix('.npy').write_bytes(b'') or _write(
            path, np.zeros_like(cam)))
    with pytest.raises(SystemExit, match='all alike'):
        bench.main(SMALL)


def _write(path, array):
    with open(path, 'wb') as file:
        np.lib.format.write_array(file, array)


@pytest.mark.parity
def test_straightforward_side_is_the_published_protocol(
        bench, tmp_path, parity_dir):
    golden = np.load(f'{parity_dir}/seed_eval.npz')
    listing = bench.Listing(tmp_path, 20)
    for i in range(6):
        np.save(tmp_path / f'{i}.npy', golden[f'cam{i}'])
        mask = tmp_path / f'{i}.png'
        save_label_map(mask, golden[f'gt{i}'])
        listing.samples.append(
            dict(
                img_id=str(i),
                classes=golden[f'classes{i}'],
                seg_map_path=str(mask)))
    np.testing.assert_array_equal(bench.THRESHOLDS, golden['thresholds'])
    rates = bench.many_passes(listing, 1)
    iou = np.nan_to_num(rates['IoU'])
    np.testing.assert_allclose(iou.T, golden['iou'], atol=1e-9)
    # Published: a class without any pixel counts as 0.
    np.testing.assert_allclose(iou.mean(0), golden['miou'], atol=1e-9)
