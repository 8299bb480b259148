"""The professor's Kustomize base: read, built and judged without running Kustomize."""
