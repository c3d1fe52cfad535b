"""双人复核 what one person at the desk asks for and another one decides."""
