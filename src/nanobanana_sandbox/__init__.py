"""Stands in for Google's image API: the same REST protocol, real pictures, every failure on demand."""
