output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id
}

output "secret_arn" {
  description = "Secret that holds its name and address."
  value       = aws_secretsmanager_secret.this.arn
}

output "policy_arn" {
  description = "Policy that allows what a service does with its bucket."
  value       = aws_iam_policy.use.arn
}
