"""The platform's whole life, on an emulated AWS."""
