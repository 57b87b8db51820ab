"""The extension contract: what an app is, how it is loaded, started, mounted and contained."""
