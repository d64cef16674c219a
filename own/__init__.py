"""Makes this repository a team's own: name, greeting, colours, knowledge. It runs once or often, and ships nowhere."""
