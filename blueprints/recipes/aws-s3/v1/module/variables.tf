variable "environment" {
  description = "Name of the environment."
  type        = string
}

variable "service" {
  description = "Name of the service, and of its service account."
  type        = string
}

variable "need" {
  description = "Name of the need."
  type        = string
}

variable "expire_days" {
  description = "Days after which objects are deleted; 0 keeps them."
  type        = number
}

variable "versioning" {
  description = "Whether overwritten and deleted objects are kept for 30 days."
  type        = bool
}

variable "force_destroy" {
  description = "Whether the bucket may go with what is in it."
  type        = bool
}

variable "eks_cluster" {
  description = "EKS cluster whose pods get a role; empty for none."
  type        = string
}

variable "namespace" {
  description = "Namespace of the service."
  type        = string
}
