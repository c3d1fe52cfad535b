"""Facts between services: two buses, the outbox and the inbox."""
