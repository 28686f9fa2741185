"""What AWS means. Nothing here knows PCI DSS."""
