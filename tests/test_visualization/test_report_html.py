# Copyright (c) mmktse authors. All rights reserved.
import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from mmktse.visualization.report_html import (Html, Number, Section,
                                              class_name, curve_svg, data_uri,
                                              fit, format_number,
                                              format_percent, links, page,
                                              paragraph, picture, table, text)

NAN = float('nan')


def test_text_is_escaped_once():
    assert text('<a> & "b"') == '&lt;a&gt; &amp; &quot;b&quot;'
    assert text(Html('<a>')) == '<a>'
    assert paragraph('1 < 2', 'note') == '<p class=note>1 &lt; 2</p>\n'
    assert 'alt="&quot;&gt;"' in picture(
        np.zeros((1, 1, 3), np.uint8), 'x', '">')
    assert '>&lt;b&gt;</a>' in links([('id', '<b>')], 'x')
    name = class_name('<b>', np.array([255, 0, 7], np.uint8))
    assert 'rgb(255,0,7)' in name and name.endswith('</span>&lt;b&gt;')


def test_numbers():
    assert format_number(1.25, '.2f', ' %') == '1.25 %'
    assert format_number(None) == format_number(NAN, unit=' %') == '–'
    assert format_percent(1, 3) == '33.3\u00a0%'
    assert format_percent(0, 0) == '0.0\u00a0%'


def test_table():
    html = table(('name', 'figure'), [('a<', Number(123456.5, ',.0f')),
                                      ('b', Number(NAN)),
                                      ('c', Number(40., '.1f', 'hit')),
                                      ('d', Number(0.01, '.1f', 'hit')),
                                      ('e', Number(400., '.1f', 'miss'))],
                 'a caption', 'sortable')
    assert '<th scope="row">a&lt;</th>' in html
    assert '<td class="num" data-value="123456">123,456</td>' in html
    # Sorted last.
    assert '<td class="num" data-value="">–</td>' in html
    assert 'class="num hit" style="--v:0.400" data-value="40">40.0' in html
    assert 'class="num muted" data-value="0.01">0.0' in html
    assert 'class="num miss" style="--v:1.000"' in html
    assert html.count('class=num') == 1


@pytest.mark.parametrize('flat, kind', [(False, 'JPEG'), (True, 'PNG')])
def test_data_uri(flat, kind):
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 3:] = (200, 30, 30)
    head, _, code = data_uri(image, flat).partition(',')
    assert head == f'data:image/{kind.lower()};base64'
    with Image.open(io.BytesIO(base64.b64decode(code))) as stored:
        assert stored.format == kind
        pixels = np.array(stored).astype(int)
    assert np.abs(pixels - image).max() <= (0 if flat else 40)


def test_fit():
    assert fit((375, 500), 320) == (320, 240)
    assert fit((500, 375, 3), 320) == (240, 320)
    assert fit((20, 30), 320) == (30, 20)
    assert fit((1, 5000), 320) == (320, 1)


def test_curve():
    curve = dict(
        threshold=[0, .5, 1],
        mIoU=[10., 60., NAN],
        precision=[0., 50., 100.],
        recall=[100., 50., 0.])
    svg = curve_svg(curve, 'a "title"', .5, 0.)
    assert 'aria-label="a &quot;title&quot;"' in svg
    lines = dict(re.findall(r'class="line (\w+)" points="(.*?)"', svg))
    assert len(lines['mIoU'].split()) == 2 and 'nan' not in svg
    (left, bottom), middle, (right, top) = [
        tuple(map(float, point.split(',')))
        for point in lines['precision'].split()
    ]
    assert middle == pytest.approx(((left + right) / 2, (top + bottom) / 2))
    assert left < right and top < bottom
    # The circle lies on the mIoU of its threshold.
    x, y = map(float, re.search('circle cx="(.*?)" cy="(.*?)"', svg).groups())
    assert f'{x:.1f},{y:.1f}' == lines['mIoU'].split()[1]
    bare = curve_svg(curve, '')
    assert 'circle' not in bare and 'star' not in bare


def test_page_names_its_parts():
    sections = [
        Section('a', 'A & B', [paragraph('one')]),
        Section('b', 'C', iter([paragraph('two')]))
    ]
    html = ''.join(page('T <', [paragraph('zero')], sections))
    assert '<title>T &lt;</title>' in html and '<h2>A &amp; B</h2>' in html
    order = [html.index(word) for word in ('>zero', '"#a"', '>one', '>two')]
    assert order == sorted(order)
    assert "default-src 'none'" in html
