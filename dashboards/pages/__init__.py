"""One module a page: which figures it has, in which order, with which words. Layout is in `templates/`."""
