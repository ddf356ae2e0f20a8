"""The REST surface, one file a resource."""
