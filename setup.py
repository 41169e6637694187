# Copyright (c) mmktse authors. All rights reserved.
from setuptools import setup

setup()
