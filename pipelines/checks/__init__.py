"""Asset checks made by factories from contracts and rules. What is checked is data; no rule is written here."""
