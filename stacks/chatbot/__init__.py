"""The product: a table, a function, an API and an alarm."""

from stacks.chatbot.stack import ChatbotStack

__all__ = ["ChatbotStack"]
