"""What holds for every service, and what operators and attackers do."""
