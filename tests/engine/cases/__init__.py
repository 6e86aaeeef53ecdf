"""All of domain.md C, D and E as a table: what VTJ tells of a person, and what the register holds after it."""
