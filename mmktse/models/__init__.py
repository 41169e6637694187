# Copyright (c) mmktse authors. All rights reserved.
from .backbones import *  # noqa: F401, F403
from .classifiers import *  # noqa: F401, F403
from .converters import *  # noqa: F401, F403
from .decode_heads import *  # noqa: F401, F403
from .heads import *  # noqa: F401, F403
from .losses import *  # noqa: F401, F403
from .refiners import *  # noqa: F401, F403
