"""How we decide: documents in, findings out. Nothing here knows AWS."""
