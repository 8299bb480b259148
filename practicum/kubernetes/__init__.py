"""Kubernetes clusters: shards built and applied, waited for and removed. The only room with the `kubernetes` client."""
