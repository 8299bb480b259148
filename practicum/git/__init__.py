"""The GitOps repository: the only room that speaks to git."""
