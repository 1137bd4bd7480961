"""A fuzzer of everything that reads YAML and equations. `python -m fuzz --help`."""
