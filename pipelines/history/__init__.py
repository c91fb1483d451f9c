"""Since when each flag stands, how it came and why it went: the flag history, filed instant by instant.

What a change is and why it happened is SQL, in `sql/filing/` and `sql/history/`; here are the files, the order of the
instants, and the instants that nobody filed. No flag is raised or judged here.
"""
