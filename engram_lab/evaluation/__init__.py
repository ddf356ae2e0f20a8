"""The judge: data sets, measures, runs, statistics, gates and tuning. Names no winner."""
