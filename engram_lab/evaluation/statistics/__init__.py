"""How sure a figure is: intervals, paired tests, and what they can see."""
