"""The bundle that a run leaves: what is in it, who signed it, how it is checked."""
