# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from mmktse.registry import MODELS
from projects.ecsnet.ecsnet import LabelSelector
from projects.ecsnet.ecsnet.label_selector import small_regions

ALL = LabelSelector.CLAUSES


def row(*values):
    """One row of cells with the scores of two classes: (1, 2, 1, w)."""
    return torch.tensor(values).T[None, :, None]


def label(seed,
          again,
          targets=(1., 1.),
          presence=(.9, .9),
          erased=None,
          background=None,
          known=None,
          **kwargs):
    """Labels of one row of cells as a list."""
    erased = erased or [False] * seed.shape[-1]
    background = background or [0.] * seed.shape[-1]
    labels, _ = LabelSelector(**kwargs)(seed, again, torch.tensor([targets]),
                                        torch.tensor([presence]),
                                        torch.tensor(erased).view(1, 1, 1, -1),
                                        torch.tensor(background).view(
                                            1, 1, 1, -1),
                                        seed if known is None else known)
    return labels[0, 0].tolist()


def select(case, **kwargs):
    """Labels of a case."""
    return LabelSelector(**kwargs)(**case)[0]


def random_case(num=4, classes=5, size=(9, 12)):
    """Scores with all clauses at work, a mask and labels."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape):
        return torch.rand(*shape, generator=generator)

    seed, again = (draw(num, classes, *size)**3 for _ in range(2))
    # Background has to be there, too.
    seed[..., :3], again[..., :3] = 0.01, 0.02
    targets = (draw(num, classes) > .4).float()
    return dict(
        seed=seed,
        again=again,
        targets=targets,
        presence=draw(num, classes),
        erased=draw(num, 1, *size) > .7,
        background=draw(num, 1, *size)**3,
        known=seed)


def test_registered():
    assert isinstance(
        MODELS.build(dict(type='LabelSelector', clauses=['R0', 'R5'])),
        LabelSelector)
    with pytest.raises(ValueError, match='no clause R8; there are R0, R1'):
        LabelSelector(clauses=('R1', 'R8'))


def test_all_clauses_by_hand():
    seed = row((.6, 0.), (.2, .3), (.04, 0.), (.7, .1), (.2, .2), (.04, .04))
    again = row((0., 0.), (.3, .9), (0., .03), (.1, .8), (.55, .5), (.06, 0.))
    # R1, R2, R3, R4, too small a margin, no background in both.
    assert label(seed, again) == [1, 2, 0, 255, 255, 255]


def test_absent_classes():
    case = row((.9, .6)), row((0., 0.))
    assert label(*case, targets=(0., 1.)) == [2]
    assert label(*case, targets=(0., 1.), clauses=ALL[1:6]) == [1]
    assert label(*case, targets=(0., 0.)) == [0]


def test_without_seeds():
    clauses = ('R0', 'R2', 'R3', 'R5')
    assert label(row((.9, 0.)), row((0., 0.)), clauses=clauses) == [255]


def test_erased_cells_take_no_label_from_the_erased_pass():
    seed, again = row((0., 0.), (.6, 0.)), row((.9, 0.), (0., .9))
    assert label(seed, again, erased=[True, True]) == [255, 1]
    assert label(seed, again, clauses=('R0', 'R1', 'R5')) == [255, 1]


def test_class_that_the_classifier_no_longer_sees():
    case = row((0., 0.)), row((.9, 0.))
    assert label(*case) == [1]
    assert label(*case, presence=(.4, .9)) == [255]
    assert label(*case, presence=(.4, .9), presence_threshold=.3) == [1]


def test_without_the_background_clause():
    case = row((.01, .01)), row((0., 0.))
    assert label(*case) == [0]
    assert label(*case, clauses=('R0', 'R1', 'R2', 'R4', 'R5')) == [255]


def test_no_background_where_a_present_class_is_nowhere():
    case = row((.9, 0.), (.01, 0.)), row((0., 0.), (0., 0.))
    assert label(*case) == [1, 255]
    assert label(*case, targets=(1., 0.)) == [1, 0]
    # Each image for itself.
    case = random_case()
    case['targets'][1:, 2] = 1
    before = select(case)
    assert (before[1] == 0).any()
    case['seed'][1, 2] = 0
    after = select(case)
    assert not (after[1] == 0).any()
    others = torch.tensor([0, 2, 3])
    assert torch.equal(after[others], before[others])


def test_no_background_where_an_erased_pass_before_the_last_saw_a_class():
    seed = row((1., 0.), (.02, 0.), (0., 0.), (0., 0.))
    again = row((0., 0.), (0., 0.), (0., 0.), (1., 0.))
    known = row((1., 0.), (1., 0.), (0., .9), (0., 0.))
    case = dict(targets=(1., 0.), erased=[True, True, False, False])
    assert label(seed, again, **case) == [1, 0, 0, 1]
    # What is shown of an absent class counts as little as elsewhere.
    assert label(seed, again, known=known, **case) == [1, 255, 0, 1]
    case.update(known=known, clauses=('R0', ))
    assert label(seed, again, **case) == [1, 1, 0, 1]


def test_background_counts_for_the_margin():
    case = row((0., 0.), (0., 0.)), row((.54, 0.), (.56, 0.))
    assert label(*case) == [1, 1]
    assert label(*case, background=[.46, .44]) == [255, 1]
    assert label(*case, background=[.46, .44], margin=0.) == [1, 1]


def test_share_of_the_erased_pass():
    # R2 alone, R2 and R1, a conflict, R1 alone.
    seed = row((.1, .1), (.6, 0.), (.6, 0.), (.6, 0.))
    again = row((.9, 0.), (.9, 0.), (0., .9), (0., 0.))
    ones, cells = torch.ones(1, 2), torch.zeros(1, 1, 1, 4)
    case = (seed, again, ones, ones, cells > 0, cells, seed)
    assert LabelSelector()(*case)[1] == dict(label_r2=.25)
    assert LabelSelector(clauses=('R1', 'R5'))(*case)[1] == dict(label_r2=0)


def test_without_the_conflict_clause_the_seed_wins():
    case = row((.6, 0.)), row((0., .9))
    assert label(*case) == [255]
    assert label(*case, clauses=('R0', 'R1', 'R2', 'R3', 'R5')) == [1]


def test_without_suppression_every_cell_is_labelled_by_argmax():
    seed = row((.2, .1), (.3, .1), (.3, .1), (.1, .9))
    again = row((.2, .25), (.1, .1), (.2, .4), (.8, .2))
    case = dict(clauses=('R0', ), presence=(0., 0.), erased=[True] * 4)
    assert label(seed, again, **case) == [0, 1, 2, 2]
    assert label(seed, again, targets=(1., 0.), **case) == [0, 1, 1, 1]
    labels = select(random_case(), clauses=('R0', ))
    assert (labels != 255).all() and (labels > 0).any()


def test_best_scores_of_each_class_and_image():
    again = row((.6, 0.), (.7, 0.), (.8, 0.), (.9, 0.), (1., 0.), (0., .55))
    case = torch.zeros_like(again), again
    clauses = (*ALL[:6], 'R6')
    assert label(*case, clauses=clauses) == [255, 255, 1, 1, 1, 2]
    assert label(*case, clauses=clauses, keep_share=1.) == [1] * 5 + [2]
    # Half of four are two, which a third one equals.
    again = row((.6, 0.), (.7, 0.), (.7, 0.), (.7, 0.))
    assert label(
        torch.zeros_like(again), again, clauses=clauses,
        keep_share=.5) == [255, 1, 1, 1]
    assert label(*case, clauses=('R0', 'R1', 'R5', 'R6')) == [255] * 6


def test_small_regions():
    labels = torch.tensor([
        [1, 0, 0, 255, 2],
        [0, 1, 0, 255, 255],
        [0, 0, 1, 3, 3],
    ])[None]
    small = small_regions(labels, 3)[0].int().tolist()
    # Diagonal neighbours are connected, and ignored cells are no region.
    assert small == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]]
    seed = row((.9, 0.), (.9, 0.), (.0, .9), (.9, 0.))
    case = dict(clauses=ALL, min_cells=2)
    assert label(seed, torch.zeros_like(seed), **case) == [1, 1, 255, 255]


def test_only_present_classes_and_no_gradient():
    case = random_case()
    case['seed'].requires_grad_()
    labels = select(case)
    assert labels.dtype == torch.long and not labels.requires_grad
    for targets, found in zip(case['targets'], labels):
        allowed = {0, 255, *(targets.nonzero()[:, 0] + 1).tolist()}
        assert set(found.unique().tolist()) <= allowed
    assert {0, 255} < set(labels.unique().tolist())


def test_no_label_of_the_erased_pass_within_the_mask():
    case = random_case()
    plain = select(case, clauses=('R0', 'R1', 'R3', 'R5'))
    more = select(case, clauses=('R0', 'R1', 'R2', 'R3', 'R5'))
    erased = case['erased'][:, 0]
    assert torch.equal(plain[erased], more[erased])
    assert (plain != more).any()


def test_lower_thresholds_label_more():
    counts = []
    for threshold in (.2, .4, .6, .8):
        labels = select(
            random_case(),
            clauses=('R0', 'R1', 'R2', 'R3', 'R5'),
            erased_threshold=threshold)
        counts.append(((labels > 0) & (labels < 255)).sum().item())
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


@pytest.mark.parametrize('clauses', [ALL, ALL[:6], ('R0', )])
def test_mirrored_scores_give_mirrored_labels(clauses):
    case = random_case()
    mirrored = {k: v.flip(-1) if v.ndim == 4 else v for k, v in case.items()}
    assert torch.equal(
        select(mirrored, clauses=clauses),
        select(case, clauses=clauses).flip(-1))


def test_order_of_the_batch_does_not_matter():
    case = random_case()
    order = torch.tensor([2, 0, 3, 1])
    shuffled = {k: v[order] for k, v in case.items()}
    assert torch.equal(
        select(shuffled, clauses=ALL),
        select(case, clauses=ALL)[order])


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_of_equal_scores_the_lowest_class_wins(dtype):
    scores = torch.full((1, 4, 40, 40), .7, dtype=dtype)
    scores[:, 0] = .1
    case = (scores, scores, torch.ones(1, 4), torch.ones(1, 4),
            torch.zeros(1, 1, 40, 40, dtype=torch.bool),
            torch.zeros(1, 1, 40, 40, dtype=dtype), scores)
    for clauses in (ALL, ('R0', )):
        assert (LabelSelector(clauses=clauses)(*case)[0] == 2).all()


def test_a_single_class_has_no_runner_up():
    one = torch.full((1, 1, 2, 2), .6)
    none = torch.zeros_like(one)
    labels, _ = LabelSelector()(none, one, torch.ones(1, 1), torch.ones(1, 1),
                                none > 0, none, none)
    assert (labels == 1).all()
