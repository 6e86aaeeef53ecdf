"""What the templates say about the synchronisation."""
