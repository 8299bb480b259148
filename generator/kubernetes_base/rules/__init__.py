"""What the objects of a base may be and ask for."""
