"""One module a command. It declares OPTIONS and has `run(values)`, which joins stages and gives what to say and the
exit code; its docstring is the head of the help screen."""
