"""A phone system and a department system: small real clients of the public interfaces."""
