"""Engines of tenants: where they lie, which are open, with which configuration."""
