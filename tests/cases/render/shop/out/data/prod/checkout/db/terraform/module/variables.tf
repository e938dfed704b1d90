variable "environment" {
  description = "Name of the environment."
  type        = string
}

variable "service" {
  description = "Name of the service."
  type        = string
}

variable "need" {
  description = "Name of the need."
  type        = string
}

variable "postgres_version" {
  description = "Major version of Postgres. Another one is another instance."
  type        = string
}

variable "instance_class" {
  description = "RDS instance class."
  type        = string
}

variable "storage_gib" {
  description = "Storage to begin with; it grows to five times that."
  type        = number
}

variable "highly_available" {
  description = "Whether a standby runs in a second zone."
  type        = bool
}

variable "deletion_protection" {
  description = "Whether RDS refuses to delete the instance."
  type        = bool
}

variable "final_snapshot" {
  description = "Whether a snapshot is taken before the instance goes."
  type        = bool
}
