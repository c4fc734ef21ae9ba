"""Questions and answers: which packet answers which, questions that are sent until they are answered, and what answers by rules."""
