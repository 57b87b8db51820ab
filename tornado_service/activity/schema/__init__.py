"""Tables, their migrations, and statements."""
