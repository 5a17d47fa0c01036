"""How the cost of some work grows with what it is given: never how long it takes."""

import math
import time
from collections.abc import Callable
from typing import Any

# Four times as much to do takes four times as long where that is linear, 16 times where it is
# quadratic. What lies between them is for a machine that is busy.
MORE, BOUND = 4, 9
_TRIES = 10
# Seconds that a measurement is repeated for, so that the clock's own steps are lost in it.
_MEASURED_FOR = 0.002


def growth(work: Callable[[Any], Any], small: Any, large: Any) -> float:
    """How many times as much processor time the work takes for the larger input."""
    cheapest = {"small": math.inf, "large": math.inf}
    for _ in range(_TRIES):
        # A busy machine only adds to what it costs.
        cheapest["small"] = min(cheapest["small"], _cost(work, small))
        cheapest["large"] = min(cheapest["large"], _cost(work, large))
        if cheapest["large"] < BOUND * cheapest["small"]:
            break
    return cheapest["large"] / cheapest["small"]


def _cost(work: Callable[[Any], Any], given: Any) -> float:
    work(given)
    rounds, started = 0, time.thread_time()
    while (spent := time.thread_time() - started) < _MEASURED_FOR or not rounds:
        work(given)
        rounds += 1
    return spent / rounds
