"""Everything for a deployment in a cloud: the functions' bundle, the site's files, Terraform."""
