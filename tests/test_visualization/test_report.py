# Copyright (c) mmktse authors. All rights reserved.
import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmktse.engine.label_maker import PseudoLabelMaker, stored_origin
from mmktse.evaluation import evaluate_labels, evaluate_seeds
from mmktse.seeds import save_label_map, save_seed
from mmktse.visualization import save_report
from mmktse.visualization.page import HATCH_COLOR, VOID_COLOR
from mmktse.visualization.report import strongest_confusions

CLASSES = ('<b>&"cat"', 'dog')
MEASURED = {
    'about', 'figures', 'classes', 'confusion', 'curve', 'gallery', 'unusual'
}
# Elements that have no end tag.
VOID_ELEMENTS = {'meta', 'img', 'br', 'input', 'link'}
CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))),
    None)


class Page(HTMLParser):
    """Reads a page and refuses what is not nested well."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.tags = [], [], []
        self.words, self.headings, self.cells = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)
        self.handle_startendtag(tag, attributes)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if 'style' in self.open or 'script' in self.open:
            return
        self.words.append(data)
        if self.open[-1:] == ['strong']:
            self.headings.append(data)
        elif self.open and self.open[-1] in ('h3', 'h4'):
            self.headings.append(data)
        elif {'td', 'th'} & set(self.open):
            self.cells.append(data)

    def values(self, name, tag=None):
        return [
            value for where, key, value in self.attributes
            if key == name and tag in (None, where)
        ]

    @property
    def text(self):
        return ' '.join(self.words).replace('\u00a0', ' ')


@pytest.fixture
def make(dataset, tmp_path):
    """Makes labels from the seeds of ``run``, as the tool does."""
    dataset.metainfo = dict(classes=CLASSES, palette=None)

    def make(name='labels', **settings):
        maker = PseudoLabelMaker(
            tmp_path / name,
            dataset,
            stored_origin(tmp_path / 'run', 'config.py'),
            seed_folder=tmp_path / 'run',
            num_workers=0,
            **settings)
        maker.start()
        maker.make_labels()
        return tmp_path / name

    return make


@pytest.fixture
def report(dataset, tmp_path):
    """Writes and reads a page."""

    def report(folder, **kwargs):
        path = tmp_path / 'pages' / 'report.html'
        size = save_report(path, dataset, folder, **kwargs)
        assert path.stat().st_size == size
        assert [file.name for file in path.parent.iterdir()] == [path.name]
        return Page(path.read_text(encoding='utf-8'))

    return report


def test_page_is_whole_and_self_contained(make, report, tmp_path):
    page = report(make())
    assert MEASURED <= set(page.values('id'))
    links = page.values('href')
    assert {f'#{name}' for name in MEASURED} <= set(links)
    assert {link[1:] for link in links} <= set(page.values('id'))
    sources = page.values('src')
    assert sources and all(s.startswith('data:image/') for s in sources)
    assert not {'link', 'iframe', 'object', 'base'} & set(page.tags)
    text = (tmp_path / 'pages/report.html').read_text(encoding='utf-8')
    assert 'http:' not in text and 'https:' not in text
    assert '@import' not in text and 'url(' not in text
    # Every picture is described, and its size is known before it is shown.
    assert len(page.values('alt')) == page.tags.count('img')
    assert len(page.values('width', 'img')) == page.tags.count('img')


def test_names_are_text(make, report, tmp_path, dataset):
    page = report(make())
    assert 'b' not in page.tags
    assert CLASSES[0] in page.cells and f'CAM of {CLASSES[0]} in im1' in (
        page.values('alt'))
    assert CLASSES[0] in page.headings


def test_worst_and_best(make, report):
    page = report(make(), images_per_class=2)
    # Image i misses i rows: IoU 8/12, 10/12 and 1 in both classes.
    wanted = ['Worst', 'im2', 'im1', 'Best', 'im0']
    galleries = page.headings[:page.headings.index('Without any label')]
    assert galleries == [CLASSES[0], *wanted, CLASSES[1], *wanted]
    figures = [f'{100 * rows / 6:.1f} %' for rows in (4, 5, 6)]
    found = re.findall(r'IoU ([\d.]+ %), precision 100.0 %, recall ([\d.]+ %)',
                       page.text)
    assert found == [(figure, figure) for figure in figures] * 2
    page = report(make(), images_per_class=1)
    assert page.headings[:5] == [CLASSES[0], 'Worst', 'im2', 'Best', 'im0']


def test_figures_are_those_of_the_evaluation(make, report, dataset, tmp_path):
    folder = make(threshold=.15)
    page = report(folder, split='train.txt')
    seeds = evaluate_seeds(tmp_path / 'run/seeds', dataset, None, .15)
    labels = evaluate_labels(folder / 'SegmentationClass', dataset)
    for rates in (seeds['oracle'], seeds['fixed'], labels):
        assert f'{rates["mIoU"]:.2f}' in page.cells
        assert f'{rates["recall"]:.2f}' in page.cells
    for iou in labels['per_class'].values():
        assert f'{iou:.1f}' in page.cells
    assert page.cells.count('this page') == 3
    assert page.cells.count('train.txt') == 3
    assert '0.15, fixed beforehand' in page.cells

    # The same figures stand once, others beside them.
    rows = [
        dict(
            what='pseudo labels',
            threshold=.15,
            **{key: labels[key]
               for key in ('mIoU', 'precision', 'recall')})
    ]
    (folder / 'metrics.json').write_text(json.dumps(dict(rows=rows)))
    page = report(folder)
    assert page.cells.count('metrics.json') == 1
    assert page.cells.count('this page') == 2
    rows[0]['mIoU'] -= 1
    (folder / 'metrics.json').write_text(json.dumps(dict(rows=rows)))
    assert report(folder).cells.count('this page') == 3


def test_ignore_band_and_empty_images(make, report, dataset, tmp_path):
    # Nothing is above the threshold here, and one class between the two.
    save_seed(tmp_path / 'run/seeds/im0.npz', np.full((2, 6, 8), .2),
              np.array([0, 1]))
    page = report(make(ignore_threshold=.1))
    assert 'scores from 0.1 up to the threshold' in page.cells
    assert '1 of 3 images have no pixel of any class.' in page.text
    assert page.headings[-6:] == [
        'Without any label', 'im0', 'Most ignored', 'im0', 'im2', 'im1'
    ]
    assert 'ignored 100.0 %' in page.text
    # Of the 36 true pixels of each class 12 + 2 + 4 are ignored.
    assert '50.0' in page.cells
    assert any('ignored 100.0' in alt for alt in page.values('alt'))
    # Stripes of two colours; PNGs are exact.
    page = report(tmp_path / 'labels', hide_images=True)
    place = next(i for i, alt in enumerate(page.values('alt'))
                 if alt.startswith('Label of im0'))
    code = page.values('src')[place].partition('base64,')[2]
    with Image.open(io.BytesIO(base64.b64decode(code))) as image:
        assert {color
                for _, color in image.getcolors()
                } == {VOID_COLOR, HATCH_COLOR}


def test_shares_of_pixels(make, report):
    page = report(make())
    # Of 141 known pixels 36 are of each class, and 12 + 10 + 8 labelled so.
    row = page.cells.index('dog', page.cells.index('labelled / true'))
    assert page.cells[row:row + 9] == [
        'dog', '3', '0', '83.3', '100.0', '83.3', '21.28', '25.53', '0.83'
    ]


def test_oracle_is_named(make, report):
    page = report(make(threshold_source='oracle'))
    assert 'Oracle: the threshold was chosen with the masks' in page.text
    assert any(', oracle: the best against' in cell for cell in page.cells)
    # Seeds at the threshold in use are those at the oracle threshold.
    assert page.cells.count('seed') == 1


def test_choice_on_the_images_labelled_is_named(make, report, dataset):
    folder = make(threshold_source='best on x.txt (2 images)')
    path = folder / 'manifest.json'
    manifest = json.loads(path.read_text())
    del manifest['sha256']
    for overlap, oracle in ((0, False), (2, False), (len(dataset), True)):
        manifest['threshold_choice'] = dict(overlap=overlap)
        path.write_text(json.dumps(manifest))
        page = report(folder)
        words = f'{overlap} of them among the images labelled'
        assert any(words in cell for cell in page.cells) == (overlap > 0)
        assert ('Oracle: the threshold was chosen' in page.text) == oracle


def test_another_background_has_no_threshold(make, report):
    page = report(
        make(
            background_alpha=2., refiner=dict(type='PARRefiner', num_iters=1)))
    assert any(
        cell.startswith('none: the background scores') for cell in page.cells)
    assert 'the threshold in use' not in page.text
    assert 'PARRefiner (num_iters=1)' in page.cells


def test_without_masks(make, report, dataset, tmp_path):
    folder = make()
    for sample in dataset.samples:
        sample['seg_map_path'] = None
    page = report(folder, images_per_class=1)
    assert MEASURED & set(page.values('id')) == {
        'about', 'classes', 'gallery', 'unusual'
    }
    assert page.text.count('have no masks') == 1
    assert 'precision' not in page.cells and 'truth' not in page.words
    assert page.headings[:5] == [
        CLASSES[0], 'Smallest share of the image', 'im2',
        'Largest share of the image', 'im0'
    ]
    # What was measured elsewhere is shown.
    summary = dict(
        rows=[dict(what='seed', mIoU=12.34)],
        curve=dict(
            threshold=[0, 1],
            mIoU=[1, float('nan')],
            precision=[1, 2],
            recall=[2, 1]))
    (folder / 'metrics.json').write_text(json.dumps(summary))
    page = report(folder)
    assert '12.34' in page.cells and 'curve' in page.values('id')
    assert 'As metrics.json has it.' in page.text


def test_some_masks(make, report, dataset):
    folder = make()
    dataset.samples[2]['seg_map_path'] = None
    page = report(folder)
    assert '2 of the 3 images have a mask' in page.text
    assert page.headings[:5] == [CLASSES[0], 'Worst', 'im1', 'im0', CLASSES[1]]
    dataset.samples.pop()
    assert 'about 2 of the 3 images of the folder' in report(folder).text


def test_hidden_images(make, report):
    folder = make()
    shown, hidden = report(folder), report(folder, hide_images=True)
    assert len(hidden.values('src')) == len(shown.values('src')) // 2
    words = ' '.join(hidden.values('alt'))
    assert 'Photograph' not in words and 'Truth' not in words
    assert 'CAM' in words and 'Label' in words


def test_seeds_are_found_or_left_out(make, report, tmp_path):
    folder = make()
    assert 'CAM, maximum 1.00' in report(folder).text
    # Somebody made other seeds in the place of these.
    manifest = json.loads((folder / 'manifest.json').read_text())
    del manifest['sha256']
    manifest['settings']['seeds'] = dict(checkpoint_sha256='other')
    (tmp_path / 'run/manifest.json').write_text(json.dumps(manifest))
    page = report(folder)
    assert 'CAM, maximum' not in page.text
    assert 'curve' not in page.values('id')
    (tmp_path / 'run/seeds').rename(folder / 'seeds')
    assert 'CAM, maximum' in report(folder).text


def test_pictures_are_made_to_fit(make, report, dataset, tmp_path):
    for sample in dataset.samples:
        truth = np.zeros((90, 40), np.uint8)
        truth[:30, :20] = 1
        Image.new('RGB', (40, 90)).save(sample['img_path'])
        save_label_map(sample['seg_map_path'], truth)
        save_seed(tmp_path / f'run/seeds/{sample["img_id"]}.npz',
                  truth[None] * .9, np.array([0]))
    page = report(make(), max_width=45)
    assert set(page.values('width', 'img')) == {'20'}
    assert set(page.values('height', 'img')) == {'45'}
    # The other class is in the tags alone.
    assert 'No image shows this class.' in page.text


def test_bad_input_is_named(make, report, dataset, tmp_path):
    folder = make()
    with pytest.raises(ValueError, match='images_per_class must be at least'):
        report(folder, images_per_class=0)
    with pytest.raises(ValueError, match='max_width must be at least 32'):
        report(folder, max_width=1)
    with pytest.raises(FileNotFoundError, match='has no manifest.json'):
        report(tmp_path / 'run')
    for text in ('{', '[]', '{"rows": [1]}'):
        (folder / 'metrics.json').write_text(text)
        with pytest.raises(ValueError, match='metrics.json is not'):
            report(folder)
    (folder / 'metrics.json').unlink()
    Image.new('RGB', (3, 3)).save(dataset.samples[0]['img_path'])
    with pytest.raises(ValueError, match='im0.jpg has height x width 3x3'):
        report(folder)
    save_seed(tmp_path / 'run/seeds/im0.npz', np.zeros((1, 3, 3)), np.zeros(1))
    with pytest.raises(ValueError, match='im0.npz has height x width 3x3'):
        report(folder)
    dataset.metainfo = dict(classes=('dog', 'cat'))
    with pytest.raises(ValueError, match='was made for the classes'):
        report(folder)
    dataset.samples = []
    with pytest.raises(ValueError, match='data set is empty'):
        report(folder)
    assert not (tmp_path / 'pages/report.html').exists()


def test_strongest_confusions():
    counts = np.array([[90, 10, 0, 0], [2, 5, 3, 0], [0, 0, 0, 0]])
    true = counts.sum(1, keepdims=True)
    with np.errstate(invalid='ignore'):
        share = 100 * counts / true
    rows = strongest_confusions(share, counts, ('bg', 'a', 'b', 'ignored'))
    assert [(row[0], row[1], row[2].value, row[3].value)
            for row in rows] == [('a', 'b', 30, 3), ('a', 'bg', 20, 2),
                                 ('bg', 'a', 10, 10)]


def test_many_classes_get_a_list(make, report, dataset):
    dataset.metainfo = dict(
        classes=tuple(f'class {i}' for i in range(30)), palette=None)
    page = report(make())
    assert 'The 20 strongest confusions' in page.text
    assert page.text.count('No image shows this class.') == 28


@pytest.mark.skipif(
    CHROMIUM is None, reason='no chromium on PATH to open the page in')
def test_in_a_browser(make, report, tmp_path):
    report(make(ignore_threshold=.1))
    done = subprocess.run([
        CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu',
        '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync',
        f'--user-data-dir={tmp_path}/profile', '--enable-logging=stderr',
        '--dump-dom', f'file://{tmp_path}/pages/report.html'
    ],
                          capture_output=True,
                          text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    # Messages of pages: errors, and what the policy of the page refused.
    assert not re.findall('.*CONSOLE.*', done.stderr)
    page = Page(done.stdout)
    assert MEASURED <= set(page.values('id'))
    # The script ran: headings of sortable tables can be pressed.
    assert page.tags.count('button') == 9
