"""The proof that no place of a protected person is anywhere (domain.md E40).

``catalog`` says which tables and columns there are, from the database itself; ``traces`` says what a place looks like;
``check`` looks everywhere.
"""
