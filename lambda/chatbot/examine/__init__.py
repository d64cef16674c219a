"""Asks the bot, and judges its answers. It is not shipped."""
