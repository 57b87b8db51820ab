"""Processes of web apps: started, watched, ended."""
