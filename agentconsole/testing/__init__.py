"""What every implementation of a Protocol has to pass, shipped so that third parties can run it on theirs."""
