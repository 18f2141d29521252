"""What carries Easel to a cloud: the functions' bundle, the site's files, Terraform."""
