"""The hunt for leaks: a busy month in which every place, name and code is a word of its own, and a search for them."""
