"""The Kubernetes part of a lab as Kustomize folders: base, one overlay a student, shards."""
