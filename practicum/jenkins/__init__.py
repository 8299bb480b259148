"""A Jenkins: builds, logs, and whether its jobs are what they should be. The only room that knows python-jenkins."""
