"""The version of pci-gate: of the suite, and of the command."""

__version__ = "0.1.0"
