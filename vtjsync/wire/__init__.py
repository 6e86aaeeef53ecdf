"""What goes over the line. No Django."""
