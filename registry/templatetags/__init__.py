"""What the templates of all pages share."""
