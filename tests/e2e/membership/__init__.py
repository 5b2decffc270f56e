"""membership - stories of who is who, of six real nodes; tests/e2e/empty runs them."""
