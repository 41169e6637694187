# Copyright (c) mmktse authors. All rights reserved.
import json

import pytest

from mmktse.datasets.image_files import ImageFiles
from mmktse.datasets.image_labels import (class_indices, read_class_folders,
                                          read_classes, read_ids, read_labels,
                                          write_labels)


def tags(result):
    labels, problems = result
    assert not problems
    return {img_id: list(entry.tags) for img_id, entry in labels.items()}


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding='utf-8')
    return str(path)


def test_classes(tmp_path):
    path = write(tmp_path, 'c.txt', '# tags\ncat\ntraffic light\n\ndog # d\n')
    assert read_classes(path) == ('cat', 'traffic light', 'dog')
    with pytest.raises(FileNotFoundError, match=r'no\.txt.*one class name'):
        read_classes(str(tmp_path / 'no.txt'))
    for text in ('', 'cat\ncat\n'):
        with pytest.raises(ValueError, match='c.txt must name'):
            read_classes(write(tmp_path, 'c.txt', text))
    with pytest.raises(ValueError, match='c.txt names the class background'):
        read_classes(write(tmp_path, 'c.txt', 'background\ncat\n'))


def test_class_indices():
    assert class_indices(('a', 'b')) == {'a': 0, 'b': 1, '0': 0, '1': 1}
    # Digits as names mean the name.
    assert class_indices(('1', '0')) == {'1': 0, '0': 1}


def test_text(tmp_path):
    path = write(tmp_path, 'l.txt', '\ufeff# all\nb 1 cat\n\na  dog # x\nc\n')
    assert tags(read_labels(path)) == dict(b=['1', 'cat'], a=['dog'], c=[])
    assert read_labels(path)[0]['a'].place == f'{path}:4'


def test_csv(tmp_path):
    path = write(tmp_path, 'l.csv',
                 'id,classes\na,cat; hot dog\nb,"cat,dog"\nc,cat,1\n')
    assert tags(read_labels(path)) == dict(
        a=['cat', 'hot dog'], b=['cat', 'dog'], c=['cat', '1'])
    assert read_labels(path)[0]['b'].place == f'{path}:3'


@pytest.mark.parametrize('text', [
    'Filename;labels\na.jpg;cat;hot dog\nb.PNG;1\n',
    'image,labels\na.jpg,"cat,hot dog"\nb.PNG,1\n',
    'a.jpg,cat;hot dog\nb.PNG,1\n',
    '\n;;\nimage;labels (one, or more)\na;cat,hot dog\nb;1\n;;\n',
])
def test_csv_of_a_spreadsheet(tmp_path, text):
    path = write(tmp_path, 'l.csv', text)
    assert tags(read_labels(path)) == dict(a=['cat', 'hot dog'], b=['1'])


def test_csv_whose_first_image_has_no_label(tmp_path):
    path = write(tmp_path, 'l.csv', '\na\nb,cat\n')
    assert tags(read_labels(path)) == dict(a=[], b=['cat'])


def test_utf16_is_named(tmp_path):
    for name in ('l.csv', 'l.txt', 'l.json'):
        (tmp_path / name).write_text('a,cat\n', encoding='utf-16')
        with pytest.raises(ValueError, match=f'{name} is UTF-16 text: save'):
            read_labels(str(tmp_path / name))


@pytest.mark.parametrize('content', [
    dict(a=['cat', 1], b='hot dog'),
    [dict(id='a', classes=['cat', 1]),
     dict(id='b', classes='hot dog')],
])
def test_json(tmp_path, content):
    path = write(tmp_path, 'l.json', json.dumps(content))
    assert tags(read_labels(path)) == dict(a=['cat', '1'], b=['hot dog'])


def test_coco(tmp_path):
    path = write(
        tmp_path, 'i.json',
        json.dumps(
            dict(
                images=[
                    dict(id=7, file_name='x/b.jpg'),
                    dict(id=3, file_name='a.jpg'),
                    dict(id=4, file_name='nothing.jpg')
                ],
                categories=[
                    dict(id=90, name='toothbrush'),
                    dict(id=1, name='person')
                ],
                annotations=[
                    dict(id=0, image_id=7, category_id=90),
                    dict(id=1, image_id=7, category_id=1),
                    dict(id=2, image_id=7, category_id=90),
                    dict(id=3, image_id=3, category_id=1),
                    dict(id=9, image_id=3, category_id=5),
                ])))
    labels, problems = read_labels(path)
    assert {
        k: v.tags
        for k, v in labels.items()
    } == {
        'x/b': ['person', 'toothbrush'],
        'a': ['person']
    }
    assert len(problems) == 1
    assert 'annotation 9' in problems[0] and path in problems[0]


XML = ('<annotation>{}</annotation>'.format, '<object><name>{}</name>'
       '<part><name>head</name></part></object>'.format)


def test_xml(tmp_path):
    write(tmp_path, 'b.xml', XML[0](XML[1]('dog') + XML[1]('cat') * 2))
    write(tmp_path, 'a.xml', XML[0](XML[1]('cat')))
    assert tags(read_labels(str(tmp_path))) == dict(
        a=['cat'], b=['cat', 'dog'])
    assert tags(read_labels(str(tmp_path),
                            ['b', 'c'])) == dict(b=['cat', 'dog'])
    broken = write(tmp_path, 'z.xml', '<annotation>')
    labels, problems = read_labels(str(tmp_path))
    assert sorted(labels) == ['a', 'b']
    assert problems[0].startswith(f'{broken} is not XML')


def test_class_folders(tmp_path):
    for name in ('dog/2.jpg', 'dog/1.JPG', 'cat/1.png', 'cat/note.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    labels = read_class_folders(ImageFiles(str(tmp_path)))
    assert {
        k: v.tags
        for k, v in labels.items()
    } == {
        'cat/1': ['cat'],
        'dog/1': ['dog'],
        'dog/2': ['dog']
    }
    labels = read_class_folders(ImageFiles(str(tmp_path), '.jpg'))
    assert list(labels) == ['dog/2']


def test_problems_have_places(tmp_path):
    path = write(tmp_path, 'l.txt', 'a 0\nb 1\na 1\nb 0\n')
    labels, problems = read_labels(path)
    assert labels['a'].tags == ['0']
    assert problems == [
        f'{path}:3: id a is at {path}:1 already; remove one of them.',
        f'{path}:4: id b is at {path}:2 already; remove one of them.'
    ]
    path = write(tmp_path, 'l.json', '[{"id": "a", "classes": []}, "b"]')
    assert read_labels(path)[1][0].startswith(f'{path}: entry 2 is not')


def test_wrong_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no\.txt.*ann_file'):
        read_labels(str(tmp_path / 'no.txt'))
    with pytest.raises(ValueError, match=r'l\.npy must end with \.txt'):
        read_labels(write(tmp_path, 'l.npy', ''))
    with pytest.raises(ValueError, match=r'l\.json is not JSON'):
        read_labels(write(tmp_path, 'l.json', '{'))


@pytest.mark.parametrize('name', ['l.txt', 'l.json'])
@pytest.mark.parametrize('classes', [('cat', 'dog'), ('cat', 'hot dog')])
def test_written_labels_are_read(tmp_path, name, classes):
    path = str(tmp_path / name)
    write_labels(path, dict(b=[0, 1], a=[1]), classes)
    indices = class_indices(classes)
    assert {
        img_id: [indices[tag] for tag in entry]
        for img_id, entry in tags(read_labels(path)).items()
    } == dict(
        b=[0, 1], a=[1])
    with pytest.raises(ValueError, match='must end with'):
        write_labels(str(tmp_path / 'l.csv'), {}, classes)


def test_indices_that_are_names_are_not_written(tmp_path):
    """"1" would be read as the class of that name, which is class 0."""
    classes, labels = ('1', 'hot dog'), dict(a=[1], b=[0])
    with pytest.raises(ValueError, match=r'l\.txt cannot hold.*write \.json'):
        write_labels(str(tmp_path / 'l.txt'), labels, classes)
    assert not list(tmp_path.iterdir())
    path = str(tmp_path / 'l.json')
    write_labels(path, labels, classes)
    assert tags(read_labels(path)) == dict(a=['hot dog'], b=['1'])
    # An index of its own does no harm.
    write_labels(str(tmp_path / 'l.txt'), labels, ('0', 'hot dog'))


def test_too_many_classes_for_a_label_map(tmp_path):
    path = write(tmp_path, 'c.txt', '\n'.join(map(str, range(254))))
    assert len(read_classes(path)) == 254
    path = write(tmp_path, 'c.txt', '\n'.join(map(str, range(255))))
    with pytest.raises(ValueError, match=r'c\.txt has 255 classes.*most 254'):
        read_classes(path)


def test_ids(tmp_path):
    path = write(tmp_path, 'i.txt', '\ufeffb 1\r\n\r\n# c\r\na  \r\n')
    assert read_ids(path) == dict(b=f'{path}:1', a=f'{path}:4')
    with pytest.raises(FileNotFoundError, match=r'no list \S*no\.txt'):
        read_ids(str(tmp_path / 'no.txt'))
    with pytest.raises(ValueError, match=r'i\.txt lists no image'):
        read_ids(write(tmp_path, 'i.txt', '\n# a\n'))
    path = write(tmp_path, 'i.txt', 'a\n/etc/b\na\n')
    with pytest.raises(ValueError, match=r'i\.txt:2: id /etc/b leads out'):
        read_ids(path)
    problems = []
    assert list(read_ids(path, problems)) == ['a'] and len(problems) == 2


@pytest.mark.parametrize('name, text', [
    ('l.txt', 'a 0\n../b 0\n'),
    ('l.csv', 'a,0\n../b,0\n'),
    ('l.json', '{"a": [0], "../b": [0]}'),
    ('c.json', '{"images": [{"id": 1, "file_name": "../b.jpg"}], '
     '"categories": [{"id": 1, "name": "0"}], '
     '"annotations": [{"id": 1, "image_id": 1, "category_id": 1}]}'),
])
def test_no_label_leads_out_of_the_folder(tmp_path, name, text):
    labels, problems = read_labels(write(tmp_path, name, text))
    assert '../b' not in labels and len(problems) == 1
    assert name in problems[0] and '../b leads out' in problems[0]


@pytest.mark.parametrize('name, text', [
    ('l.txt', 'a cat \r\n \r\nb dog\t\r\n'),
    ('l.csv', 'id,classes\r\na,cat \r\n\r\nb,dog\r\n'),
    ('l.json', '{"a": "cat",\r\n"b": "dog"}\r\n'),
])
def test_files_of_other_systems(tmp_path, name, text):
    (tmp_path / name).write_bytes(f'\ufeff{text}'.encode())
    assert tags(read_labels(str(tmp_path / name))) == dict(
        a=['cat'], b=['dog'])
    (tmp_path / 'c.txt').write_bytes('\ufeffcat \r\n\r\ndog\r\n'.encode())
    assert read_classes(str(tmp_path / 'c.txt')) == ('cat', 'dog')
