"""What board and host share, once."""
