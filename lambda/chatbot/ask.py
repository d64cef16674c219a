"""Answers questions from an index, for programs: `python -m chatbot.ask INDEX < QUESTIONS.json > ANSWERS.json`.

In goes a list of texts; out come the sections of the index with the ways to ask for them, and for each text the id of
the section that answers it, or null. It is shipped, so that any package can be asked what it would say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from chatbot.index import NoIndexError
from chatbot.knowledge import Knowledge
from chatbot.responders import KnowledgeResponder


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer what stands on stdin. Returns 2 for an index or questions that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m chatbot.ask", description="Answer questions from an index.")
    parser.add_argument("index", type=Path, metavar="INDEX")
    options = parser.parse_args(arguments)
    try:
        knowledge = Knowledge.load(options.index)
        questions = json.load(sys.stdin)
    except (OSError, NoIndexError, ValueError) as error:
        print(f"{options.index}: {error}", file=sys.stderr)
        return 2
    responder = KnowledgeResponder(knowledge)
    replies = [responder.reply(question, ()) for question in questions]
    said = {
        "sections": [
            section._asdict() | {"asked": asked}
            for section, asked in zip(knowledge.sections, knowledge.asked, strict=True)
        ],
        "answers": [reply.source.id if reply.source and reply.answered else None for reply in replies],
    }
    json.dump(said, sys.stdout, ensure_ascii=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
