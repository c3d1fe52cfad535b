"""The whole story, on PostgreSQL and RabbitMQ, with the examples as clients."""
