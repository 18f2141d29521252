output "url" {
  description = "The site's address."
  value       = module.site.url
}

output "distribution_domain" {
  description = "CloudFront's own name, at which the CNAME or ALIAS of your domain points."
  value       = module.site.distribution_domain
}

output "api_endpoint" {
  description = "The API's own address, behind CloudFront."
  value       = module.gateway.endpoint
}

output "registry" {
  description = "Where the app's image is pushed to."
  value       = module.poller.registry
}

output "migrate_command" {
  description = "Brings the database up to the image's version; run it after each apply with a new image."
  value       = module.poller.operate
}

output "operate_command" {
  description = "Runs one of the operator's commands; put it in the place of the dots, as a JSON list."
  value       = "${module.poller.operate} --overrides '{\"containerOverrides\":[{\"name\":\"operate\",\"command\":[\"easel\",\"...\"]}]}'"
}

output "mail_dns_records" {
  description = "The CNAME records that sign the mail, for the domain's DNS."
  value       = try(module.mail[0].dns_records, [])
}

output "pictures_bucket" {
  description = "The bucket of the pictures."
  value       = module.storage.bucket
}
