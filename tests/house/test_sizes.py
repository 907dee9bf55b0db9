"""Large files and functions are where codebases of this kind went wrong first."""

import ast
from pathlib import Path

SOURCES = [file for folder in ("src", "benchmarks") for file in Path(folder).rglob("*.py")] + [Path("nb")]


def test_no_source_file_is_longer_than_400_lines() -> None:
    assert [str(file) for file in SOURCES if len(file.read_text().splitlines()) > 400] == []


def test_no_function_is_longer_than_50_lines() -> None:
    too_long = [
        f"{file}:{node.lineno} {node.name}"
        for file in SOURCES
        if "migrations" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 50
    ]
    assert too_long == []
