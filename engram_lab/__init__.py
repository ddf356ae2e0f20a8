"""Memory for AI agents: an engine that loses nothing, and the bench it is measured on."""
