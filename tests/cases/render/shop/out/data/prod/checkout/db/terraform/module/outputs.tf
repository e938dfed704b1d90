output "secret_arn" {
  description = "Secret that holds address and login."
  value       = aws_secretsmanager_secret.this.arn
}
