"""Changes the source text of a spec and keeps the author's comments and layout."""
