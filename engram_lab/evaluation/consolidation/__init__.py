"""A benchmark of consolidation that needs no language model: every number beside its null.

Its worlds are told in two wordings, plain and free; the package `world` says what each is. All
tasks run on plain worlds; merging and updating once more on one in free words, as `.reworded`.
"""
