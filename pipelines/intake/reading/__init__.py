"""Reading a delivered file: bytes of any of the formats to one table of text.

Belongs here: formats, encodings, archives, where the header stands, and every limit that keeps reading bounded. Does
not: which dataset a header is, what a cell means, whether it may be kept. `pipelines.intake.read` is the way in.
"""
