output "url" {
  description = "The site's address."
  value       = module.site.url
}

output "distribution_domain" {
  description = "CloudFront's own name, the target of your domain's CNAME or ALIAS."
  value       = module.site.distribution_domain
}

output "api_endpoint" {
  description = "The API's own address, behind CloudFront."
  value       = module.gateway.endpoint
}

output "registry" {
  description = "The repository for the app's image."
  value       = module.poller.registry
}

output "migrate_command" {
  description = "The command that migrates the database to the image's version; run it after each apply with a new image."
  value       = module.poller.operate
}

output "operate_command" {
  description = "The command that runs an operator's command; replace the dots by it, as a JSON list."
  value       = "${module.poller.operate} --overrides '{\"containerOverrides\":[{\"name\":\"operate\",\"command\":[\"easel\",\"...\"]}]}'"
}

output "mail_dns_records" {
  description = "The CNAME records for DKIM, for the domain's DNS."
  value       = try(module.mail[0].dns_records, [])
}

output "pictures_bucket" {
  description = "The bucket of the pictures."
  value       = module.storage.bucket
}
