"""A stream as many files: names by a template, one file after the other, or as many beside each other as packets have keys."""
