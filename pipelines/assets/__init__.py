"""Dagster assets: thin wrappers that call the domain packages with what the run was given. No logic belongs here."""
