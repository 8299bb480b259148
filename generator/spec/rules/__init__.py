"""What a lab must hold beyond its schema, one module a topic."""
