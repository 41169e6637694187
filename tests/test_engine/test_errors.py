# Copyright (c) mmktse authors. All rights reserved.
import errno
import re
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from mmengine.config import Config
from mmengine.model import BaseModule
from torch._utils import ExceptionWrapper

from mmktse.datasets.image_labels import read_lines
from mmktse.engine.config import load_config
from mmktse.engine.dist import setup_distributed
from mmktse.engine.errors import one_sentence_errors, user_message
from mmktse.registry import MODELS
from mmktse.seeds import color_map


def caught(function):
    try:
        function()
    except Exception as error:
        return error


def launch():
    setup_distributed(Config(dict()), 'kubernetes')


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    monkeypatch.setattr('mmktse.engine.dist.get_device', lambda: 'cpu')


def test_error_of_the_package_is_a_sentence():
    message = user_message(caught(launch))
    assert message.startswith('The launcher "kubernetes" is unknown')


def test_missing_file_from_anywhere():
    error = caught(lambda: open('no_such_file'))
    assert 'no_such_file' in user_message(error)


def test_lines_are_joined():
    error = FileNotFoundError('one\n  two')
    assert user_message(error) == 'one two'


def test_other_errors_are_shown_in_full():
    assert user_message(caught(lambda: int('x'))) is None
    assert user_message(caught(lambda: {}['x'])) is None


def misuse():
    """NumPy, in C, finds a line of ours wrong: it is the last frame."""
    color_map([[1, 2], [3, 4]])


def test_what_a_library_finds_wrong_with_our_line_is_shown_in_full():
    error = caught(misuse)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert (type(error), last.name) == (ValueError, 'color_map')
    assert user_message(error) is None


@pytest.mark.parametrize('start', ['misuse', 'launch'])
def test_the_same_in_workers(start):
    try:
        globals()[start]()
    except ValueError:
        sent = ExceptionWrapper(where='in DataLoader worker process 0')
    known = start == 'launch'
    assert (user_message(caught(sent.reraise)) is not None) == known
    with ProcessPoolExecutor(1, mp_context=get_context('fork')) as pool:
        error = caught(pool.submit(globals()[start]).result)
        assert (user_message(error) is not None) == known


def test_system_error_in_our_line_is_a_sentence(tmp_path):
    error = caught(lambda: next(read_lines(tmp_path)))
    assert isinstance(error, IsADirectoryError)
    assert str(tmp_path) in user_message(error)


def test_worker_of_a_data_loader():
    try:
        launch()
    except ValueError:
        # What a worker sends, without the seconds that a loader's end takes.
        sent = ExceptionWrapper(where='in DataLoader worker process 0')
    error = caught(sent.reraise)
    assert user_message(error).startswith('The launcher "kubernetes" is unkno')
    elsewhere = re.sub(r'File ".*dist.py"', 'File "elsewhere.py"', str(error))
    assert elsewhere != str(error)
    assert user_message(ValueError(elsewhere)) is None


def test_worker_of_a_process_pool():
    with ProcessPoolExecutor(1, mp_context=get_context('fork')) as pool:
        error = caught(pool.submit(launch).result)
        assert user_message(error).startswith('The launcher "kubernetes"')
        assert user_message(caught(pool.submit(int, 'x').result)) is None


def test_tool_ends_with_the_sentence(monkeypatch):
    tool = one_sentence_errors(lambda: load_config('no_config.py'))
    monkeypatch.delenv('MMKTSE_TRACEBACK', raising=False)
    with pytest.raises(SystemExit, match='^error: There is no config no_conf'):
        tool()
    monkeypatch.setenv('MMKTSE_TRACEBACK', '1')
    with pytest.raises(FileNotFoundError):
        tool()


def test_tool_with_a_bug_shows_it():
    with pytest.raises(ZeroDivisionError):
        one_sentence_errors(lambda: 1 / 0)()


@pytest.mark.parametrize('fails', [False, True])
def test_a_tool_that_succeeds_leaves_its_group(monkeypatch, fails):
    """One that fails does not: others may be waiting in the group."""
    left = []
    monkeypatch.setattr('mmktse.engine.errors.leave_distributed',
                        lambda: left.append(True))
    tool = one_sentence_errors(lambda: load_config('no.py') if fails else None)
    if fails:
        with pytest.raises(SystemExit):
            tool()
    else:
        tool()
    assert left == [True] * (not fails)


@pytest.mark.parametrize('cfg, parts', [
    (dict(type='GPPHaed'), ['GPPHaed', 'registry']),
    (dict(type='GPPHead', num_clases=3), ['GPPHead', "'num_clases'"]),
    (dict(type='GPPHead'), ['GPPHead', "'num_classes'"]),
    (dict(type='ToyOuter', init_cfg=dict(type='Pretraind')), ['Pretraind']),
    (dict(type='ToyOuter', inner=1), ["'inner'"]),
])
def test_misspelt_config_is_a_sentence(cfg, parts):
    with pytest.raises((TypeError, KeyError)) as info:
        MODELS.build(cfg).init_weights()
    message = user_message(info.value)
    assert message.startswith('The config does not fit: ')
    assert '--cfg-options' in message and 'http' not in message
    assert all(part in message for part in parts)


@MODELS.register_module(name='ToyOuter')
class Outer(BaseModule):
    """Passes on what it does not know, as data sets do."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)


def test_error_inside_of_what_is_built_is_no_config_error():
    MODELS.register_module(name='ToyBug', module=Bug, force=True)
    with pytest.raises(TypeError) as info:
        MODELS.build(dict(type='ToyBug'))
    assert user_message(info.value) is None


class Bug:

    def __init__(self):
        len(3)


def test_full_disk_is_a_sentence():
    message = user_message(OSError(errno.ENOSPC, 'No space left on device'))
    assert 'No space left' in message and '--resume' in message
    assert user_message(OSError(errno.EIO, 'Input/output error')) is None
