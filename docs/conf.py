# Copyright (c) mmktse authors. All rights reserved.
"""Settings of Sphinx: ``python -m sphinx -W -b html docs OUT``."""
import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmktse.version import __version__  # noqa: E402

project = 'mmktse'
author = 'mmktse authors'
copyright = author
release = __version__
html_title = f'{project} {release}'
html_theme = 'furo'
# Sends a visitor of the output folder to the first page.
html_extra_path = ['_extra']

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
root_doc = 'docs/index'
include_patterns = [
    'README.md', 'benchmarks/README.md', 'configs/**/README.md', 'docs/**.md',
    'projects/**README.md', 'tests/data/parity/README.md'
]
# Headings are linked to as on GitHub.
myst_heading_anchors = 4
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented'
# A method without a docstring has nothing to add to that of its class.
autodoc_inherit_docstrings = False
autodoc_member_order = 'bysource'
napoleon_custom_sections = ['Shape']


def link_short_names(app: Sphinx, doctree: nodes.document) -> None:
    """Lets ``:class:`CAMHead``` find the class wherever it is."""
    for node in doctree.findall(addnodes.pending_xref):
        if node.get('refdomain') == 'py':
            node['refspecific'] = True


def setup(app: Sphinx) -> None:
    # The pages link to READMEs, configs and sources beside docs/ by relative
    # paths, as GitHub follows them: all of them are in the source folder.
    app.srcdir = ROOT
    app.connect('doctree-read', link_short_names)
