"""Isotonic regression and crossing points by scipy and NumPy, for LabelBudgetTests.

    python reference.py cases.json    # prints one answer a case

A case is {"values", "weights"} or {"budgets", "means", "level"}. A crossing is a number, "below" or "never"; it is looked for on a fine grid
of log N and not solved for, so that it shares nothing with the formula that is tested.
"""

import json
import sys

import numpy as np
from scipy.optimize import isotonic_regression


def crossing(budgets, means, level):
    line = isotonic_regression(means).x
    if line[0] >= level:
        return "below"
    if line[-1] < level:
        return "never"
    grid = np.linspace(np.log(budgets[0]), np.log(budgets[-1]), 400_001)
    reached = np.interp(grid, np.log(budgets), line) >= level
    return float(np.exp(grid[np.argmax(reached)]))


answers = []
for case in json.load(open(sys.argv[1])):
    if "values" in case:
        answers.append({"line": isotonic_regression(case["values"], weights=case["weights"]).x.tolist()})
    else:
        answers.append({"crossing": crossing(case["budgets"], case["means"], case["level"])})
json.dump(answers, sys.stdout)
