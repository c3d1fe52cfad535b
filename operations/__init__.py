"""Everything that starts, watches and mends services."""
