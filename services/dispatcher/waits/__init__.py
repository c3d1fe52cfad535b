"""等待诉求人 a lead waits for what only its citizen can give: asked for, granted by the desk, over."""
