"""What the author of an app tests it with: a stand-in for the hub, the service, a real hub."""
