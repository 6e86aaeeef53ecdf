"""The pages about the synchronisation."""
