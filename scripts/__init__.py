"""The pci-gate command: one module per subcommand."""
