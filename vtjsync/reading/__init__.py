"""What a message means for a person. No Django, no input or output."""
