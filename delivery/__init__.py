"""What runs after synthesis: packaging, plans, their review, their application, and the pipeline's own update."""
