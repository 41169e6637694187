# Copyright (c) mmktse authors. All rights reserved.
import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
# From the bottom up: a package imports those before it, see
# docs/architecture.md.
LAYERS = ('version', 'utils', 'registry', 'seeds', 'datasets', 'models',
          'evaluation', 'engine', 'visualization')


def imported(path):
    """Absolute names of what a file of the package imports."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1]
            names = [*base, *filter(None, [node.module])
                     ] if node.level else [node.module]
            yield from ('.'.join([*names, alias.name]) for alias in node.names)


def test_modules_import_downwards_alone():
    upwards = []
    for path in sorted((ROOT / 'mmktse').glob('*/**/*.py')):
        own = path.relative_to(ROOT).parts[1]
        for name in imported(path):
            top, _, rest = name.partition('.')
            assert top not in ('tools', 'tests', 'projects', 'benchmarks')
            layer = rest.split('.')[0]
            if top == 'mmktse' and LAYERS.index(layer) > LAYERS.index(own):
                upwards.append(f'{path.relative_to(ROOT)}: {name}')
    assert not upwards


def test_parts_of_models_import_one_way():
    graph = {}
    for path in (ROOT / 'mmktse' / 'models').glob('*/*.py'):
        others = {
            name.split('.')[2]
            for name in imported(path) if name.startswith('mmktse.models.')
        }
        own = path.parent.name
        graph.setdefault(own, set()).update(others - {own})
    assert list(TopologicalSorter(graph).static_order())  # no CycleError
