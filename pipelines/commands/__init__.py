"""What each `mfh` command does, one module a command; `pipelines.cli` only parses. Domain logic belongs elsewhere."""
