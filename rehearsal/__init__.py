"""AWS on one machine: an emulator that executes pipelines, builds and functions."""
