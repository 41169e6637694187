# Copyright (c) mmktse authors. All rights reserved.
import os
import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image

from mmktse.evaluation.score_refinement import (RefineScores, SampleQueue,
                                                take_probabilities)
from mmktse.models.refiners import PARRefiner


class Name:
    """Gives back the path; one of a digit takes longer the lower it is."""

    def prepare(self):
        # As modules and networks do, this would not travel.
        self.ready = lambda: True

    def __call__(self, item):
        path, prediction = item
        if path == 'killed':
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(.02 * (5 - int(path)) if path < '5' else 0)
        return path, float(prediction.sum()), self.ready()


@pytest.fixture
def image(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (12, 16, 3), np.uint8)
    path = tmp_path / 'image.png'
    Image.fromarray(pixels).save(path)
    return str(path), pixels


@pytest.mark.parametrize('num_workers', [0, 1])
def test_order_is_kept(num_workers):
    queue = SampleQueue(Name(), num_workers, '')
    done = []
    for number in range(9):
        sample = dict(img_path=str(number))
        done += queue.add(sample, np.full((2, 2), number))
        if num_workers:
            assert len(queue.pool.waiting) + len(queue.pool.running) <= 2
    done += queue.finish()
    assert done == [(dict(img_path=str(i)), (str(i), 4. * i, True))
                    for i in range(9)]
    assert queue.pool is None
    assert list(queue.finish()) == []


def test_killed_worker_is_the_given_sentence():
    queue = SampleQueue(Name(), 1, 'A worker was killed.')
    with pytest.raises(RuntimeError, match='^A worker was killed.$'):
        list(queue.add(dict(img_path='killed'), np.zeros(1)))
        list(queue.finish())


def test_wrong_refiner_fails_before_the_first_image():
    with pytest.raises(TypeError, match='no_such_setting'):
        SampleQueue(
            RefineScores(dict(type='PARRefiner', no_such_setting=1)), 1, '')


def test_scores_are_refined_by_the_colours_of_the_file(image):
    path, pixels = image
    scores = torch.rand(3, 12, 16).softmax(0).numpy()
    task = RefineScores(dict(type='PARRefiner', num_iters=2))
    task.prepare()
    want = PARRefiner(num_iters=2)(pixels, scores).argmax(0)
    np.testing.assert_array_equal(task((path, scores)), want)


def test_probabilities_are_taken_out_of_the_sample():
    logits = torch.randn(3, 4, 5, dtype=torch.bfloat16)
    sample = dict(img_path='a', seg_logits=dict(data=logits))
    rest, scores = take_probabilities(sample)
    assert rest == dict(img_path='a')
    assert 'seg_logits' in sample
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, logits.float().softmax(0))
