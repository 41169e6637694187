# Copyright (c) mmktse authors. All rights reserved.
import torch
import torch.nn.functional as F

from mmktse.models.heads import CAMHead


def test_logits_are_the_classifier_on_pooled_features():
    torch.manual_seed(0)
    head = CAMHead(num_classes=3, in_channels=8)
    head.init_weights()
    feat = torch.rand(2, 8, 5, 7)
    scores = head.scores(head((feat, )))
    assert scores.shape == (2, 3, 5, 7)
    want = feat.mean((2, 3)) @ head.classifier.weight.flatten(1).T
    torch.testing.assert_close(head.logits(scores), want)
    targets = torch.tensor([[1., 0, 0], [0, 1, 1]])
    torch.testing.assert_close(
        head.loss(scores, targets),
        F.multilabel_soft_margin_loss(want, targets))
