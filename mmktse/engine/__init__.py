# Copyright (c) mmktse authors. All rights reserved.
