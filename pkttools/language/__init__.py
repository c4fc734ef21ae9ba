"""Filters and assignments: read, compiled to programs for the codec, listed; and what values look like."""
