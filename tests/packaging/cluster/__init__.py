"""Both charts on a cluster of network namespaces, in which the kernel enforces the policies."""
