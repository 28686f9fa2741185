"""How pci-gate ends; 0 is that nothing blocks."""

BLOCKED = 1
REFUSED = 2
NOT_WRITTEN = 3
NOT_APPLIED = 4
INTERNAL_ERROR = 70
