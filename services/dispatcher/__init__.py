"""派单 dispatcher: whose job a complaint is, and what that unit did about it."""
