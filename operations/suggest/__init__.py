"""建议模型 Learns a model of suggestions and measures it. Takes the extra ``suggest``; no service does."""
