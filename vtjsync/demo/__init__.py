"""What makes the demo and the tests run on a machine with nothing prepared. Never used in production."""
