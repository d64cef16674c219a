"""Every figure of this project, measured side by side with its peer: ``python -m benchmarks``."""
