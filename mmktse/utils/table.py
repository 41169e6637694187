# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence, Tuple


def format_table(rows: Sequence[dict], columns: Sequence[Tuple[str, str,
                                                               str]]) -> str:
    """Markdown table of figures.

    Args:
        rows (Sequence[dict]): What was measured.
        columns (Sequence[tuple]): Key of a row, heading, format of a number.

    Returns:
        str: Columns without any value are left out; '' without rows.
    """
    columns = [
        column for column in columns if any(
            row.get(column[0]) is not None for row in rows)
    ]

    def cell(row: dict, key: str, spec: str) -> str:
        value = row.get(key)
        return '' if value is None else format(value, spec)

    lines = [[heading for _, heading, _ in columns]]
    lines += [[cell(row, key, spec) for key, _, spec in columns]
              for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ['-' * width for width in widths])
    return '\n'.join(
        '| ' +
        ' | '.join(text.ljust(width)
                   for text, width in zip(line, widths)) + ' |'
        for line in lines) if rows else ''
