# Copy to production.auto.tfvars and change; variables with a default are in variables.tf.
region       = "eu-central-1"
image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
generators   = ["img_generator+https://gpu.example.com?max_in_flight=4"]
alarm_email  = "operator@example.com"
