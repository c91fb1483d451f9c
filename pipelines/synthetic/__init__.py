"""Demonstration deliveries: invented children, real shapes, known awkward cases, and the truth behind them.

What belongs here: drawing an invented region's episodes and interviews, writing them as each borough would
deliver them, and recording what was planted. What does not: reading deliveries (`intake`), any real child or
any real borough's data (there is none in this project). Numbers to draw from are data, in
`data_contracts/reference/demonstration.yaml`. `annual_return` stands apart: returns whose totals are those that DfE
printed, for the back-test.
"""

from pipelines.synthetic.demonstration import Demonstration, write_demonstration
from pipelines.synthetic.summary import summary

__all__ = ["Demonstration", "summary", "write_demonstration"]
