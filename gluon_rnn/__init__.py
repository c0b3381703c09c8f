"""Recurrent neural networks in MXNet Gluon, one cell per idea of memory."""

from gluon_rnn import preflight as _preflight

_preflight.check()  # before anything imports MXNet

from gluon_rnn.cells import (  # noqa: E402
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    NARXCell,
    ResidualCell,
    TDNNCell,
)
from gluon_rnn.data import (  # noqa: E402
    PaddedBatches,
    RandomWindows,
    TokenBatches,
    additions,
    copied_share,
    encode,
    read_text,
    series_windows,
    split_documents,
    split_unseen,
    split_words,
    time_machine,
    vocabulary,
)
from gluon_rnn.layers import RNN, Bidirectional, Stacked  # noqa: E402
from gluon_rnn.tasks import (  # noqa: E402
    Classifier,
    EncoderDecoder,
    Labeller,
    LanguageModel,
    TokenEmbedding,
    generate,
)
from gluon_rnn.train import (  # noqa: E402
    History,
    accuracy,
    clip_global_norm,
    fit,
    perplexity,
)

__all__ = [
    "RNN",
    "Bidirectional",
    "Classifier",
    "ElmanCell",
    "EncoderDecoder",
    "GRUCell",
    "History",
    "JordanCell",
    "LSTMCell",
    "Labeller",
    "LanguageModel",
    "NARXCell",
    "PaddedBatches",
    "RandomWindows",
    "ResidualCell",
    "Stacked",
    "TDNNCell",
    "TokenBatches",
    "TokenEmbedding",
    "accuracy",
    "additions",
    "clip_global_norm",
    "copied_share",
    "encode",
    "fit",
    "generate",
    "perplexity",
    "read_text",
    "series_windows",
    "split_documents",
    "split_unseen",
    "split_words",
    "time_machine",
    "vocabulary",
]
