"""A folder that Checkov loads checks from."""
