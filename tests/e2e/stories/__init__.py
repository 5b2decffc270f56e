"""stories - what six real nodes must show, one subject a file."""
