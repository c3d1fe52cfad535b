"""拆分 one call, several matters."""
