"""The life of a run, from the intent in the ledger to the proof that nothing is left."""
