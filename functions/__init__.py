"""Cloud functions, one file each."""
