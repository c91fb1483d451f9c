"""The scan of everything that is to be published: only published values, coordinates and constant texts may pass.

`folder.scan` reads a folder; `allowed` says what it may hold; `derive` works figures out anew from published counts;
one module reads one kind of file (`tables`, `page` with `chart`, `workbook`, `documents`); `text` judges a piece of
text by `values`, `vocabulary` and `wording`. Nothing here writes, draws or knows a true count. The words that pages are
made of are collected in `dashboards.constants`.
"""

from pipelines.disclosure.scan.allowed import Allowed, ScanInputError, allowed_from_folder, allowed_from_warehouse
from pipelines.disclosure.scan.findings import RULES, Finding, PublicPagesRefused
from pipelines.disclosure.scan.folder import scan, scan_page

__all__ = [
    "RULES",
    "Allowed",
    "Finding",
    "PublicPagesRefused",
    "ScanInputError",
    "allowed_from_folder",
    "allowed_from_warehouse",
    "scan",
    "scan_page",
]
