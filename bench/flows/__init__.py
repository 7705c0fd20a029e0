"""How much a sign-in costs the server: ours beside other providers, on the same work.

`python -m bench.flows --help`; bench/README.md says how to read what it prints.
"""
