"""争议裁决 arbitration: whose duty a matter is, disputed, decided and kept as a precedent."""
