"""Benchmarks: each prints ratios against a peer, or against a limit, measured in the same run on the same machine.

`python -m bench [NAME…] [--quick] [--json]`; `docs/benchmarks.md` says what each one measures, and how.
"""
