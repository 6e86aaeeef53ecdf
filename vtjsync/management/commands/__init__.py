"""Commands: thin, arguments in, one service call, counts out."""
