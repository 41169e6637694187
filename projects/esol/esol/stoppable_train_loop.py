# Copyright (c) mmktse authors. All rights reserved.
from mmengine.runner import EpochBasedTrainLoop

from mmktse.registry import LOOPS


@LOOPS.register_module()
class StoppableTrainLoop(EpochBasedTrainLoop):
    """Epochs that end at once when a hook sets ``stop_training``.

    MMEngine looks at it between epochs alone. The epoch that was broken off
    counts as the last one: its checkpoint has the name that an undisturbed
    run gives its last, and resuming from it finds nothing left to do.
    """

    def run_epoch(self) -> None:
        """Runs one epoch, or its part up to the stop."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
            if self.stop_training:
                self._epoch = self._max_epochs - 1
                break
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
