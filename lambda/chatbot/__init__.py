"""The bot: answers questions from its knowledge, over HTTP, and remembers the conversation."""
