"""YAML as Helm reads it, with line numbers and comments."""
