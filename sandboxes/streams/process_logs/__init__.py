"""The output of a process: streamed as it is written, or all of it as a file."""
