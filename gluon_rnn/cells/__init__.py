"""One step at a time: ``output, states = cell(x, states)``."""

from gluon_rnn.cells.base import Cell
from gluon_rnn.cells.delay import NARXCell, TDNNCell
from gluon_rnn.cells.gated import GRUCell, LSTMCell
from gluon_rnn.cells.simple import ElmanCell, JordanCell, ResidualCell

__all__ = [
    "Cell",
    "ElmanCell",
    "GRUCell",
    "JordanCell",
    "LSTMCell",
    "NARXCell",
    "ResidualCell",
    "TDNNCell",
]
