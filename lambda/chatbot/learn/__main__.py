"""Writes the bot's index: `python -m chatbot.learn KNOWLEDGE_DIR OUTPUT`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from chatbot.learn import KnowledgeError, learn


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m chatbot.learn", description="Build the bot's index.")
    parser.add_argument("folder", type=Path, metavar="KNOWLEDGE_DIR", help="folder with the knowledge files")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="index file to write, such as knowledge.index")
    options = parser.parse_args(arguments)
    try:
        index = learn(options.folder)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_bytes(index)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.output}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
