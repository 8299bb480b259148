"""The web page: the stages of the command line for people who never saw YAML."""
