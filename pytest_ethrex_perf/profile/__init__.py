"""Where the time goes: profiles recorded beside the measurement, and what changed between two of them."""
