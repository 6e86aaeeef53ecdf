"""The pages of the register: thin, one file and one template directory per thing."""
