"""The bot alone on this machine: `python -m chatbot.serve [--port 8000] [--knowledge DIR]`; it is not shipped."""
