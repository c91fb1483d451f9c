"""The warehouse: one DuckDB file with one writer, a read-only snapshot for everyone else, and the graph of its tables.

`connection` opens it, `graph` reads the tables and their dependencies out of `sql/`, `load` brings in what SQL starts
from, `snapshot` swaps the published copy. What a table means belongs in its SQL file.
"""
