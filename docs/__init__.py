"""The guides, and what makes the generated ones."""
