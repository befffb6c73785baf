"""What is learnt of a model before anyone depends on it: `signalbox test`, and each publication.

Theory of operation: `examine` asks processes of the model for answers over a past
that is the same for everyone. It knows a process only as `Process`: the platform
gives it sandboxes, this distribution alone a plain one (`plain.py`). Both speak
the same protocol with the same harness, so that both see the same answers.

    bars.py      the past, made up; files.py: the provider's own
    process.py   what is asked of a process
    examine.py   valid, deterministic, without state carried over
    leak.py      `forecast_history` against `forecast`, row by row
    cause.py     what a difference comes from
"""

from signalbox.testing.bars import Past, made_up_past
from signalbox.testing.examine import Examination, examine
from signalbox.testing.leak import LeakReport
from signalbox.testing.process import Given, Launch, NoAnswerError, Process

__all__ = [
    "Examination",
    "Given",
    "Launch",
    "LeakReport",
    "NoAnswerError",
    "Past",
    "Process",
    "examine",
    "made_up_past",
]
