"""Gates: a run against its baseline, and a configuration that passed, ready to be shipped."""
