"""What keeps a machine from converting, found out check by check, each with its remedy."""
