"""A whole site under load while every one of its processes is killed, frozen and restarted; `make chaos`."""
