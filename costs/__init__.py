"""What a run will cost, does cost and did cost, with the age of every price."""
