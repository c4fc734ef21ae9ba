"""What is said of a stream as a whole: figures, of what the codec counts, and the ways in which they are written."""
