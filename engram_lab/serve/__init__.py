"""The hosted engine: many tenants, one database each, over REST and MCP."""
