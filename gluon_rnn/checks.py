"""One voice for bad input: which argument, what was expected, what came."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any

import mxnet as mx
import numpy as np

__all__ = [
    "Keywords",
    "array",
    "indices",
    "instance",
    "on_host",
    "one_of",
    "require",
    "sequence_lengths",
    "whole",
]


def require(
    ok: bool, argument: str, expected: str, received: Any, error: type[Exception] = ValueError
) -> None:
    """Raise ``error`` in the one form that all messages of the package have, unless ``ok``."""
    if not ok:
        raise error(f"{argument}: expected {expected}, received {received}")


def instance(argument: str, value: Any, types: type | tuple[type, ...]) -> Any:
    """Return ``value`` if it is of one of ``types``."""
    names = " or ".join(t.__name__ for t in (types if isinstance(types, tuple) else (types,)))
    require(isinstance(value, types), argument, f"a {names}", type(value).__name__, TypeError)
    return value


class Keywords:
    """Before a Gluon block among the bases: it takes keywords, those of its ``forward``."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if keywords:
            call = inspect.signature(self.forward).bind(*args, **keywords)
            call.apply_defaults()
            args = call.args
        return super().__call__(*args)


def array(argument: str, value: Any) -> mx.nd.NDArray:
    """Return ``value`` if it is an array of ``mx.nd``; one of ``mx.np`` follows other rules."""
    instance(argument, value, mx.nd.NDArray)
    is_np = isinstance(value, mx.np.ndarray)
    require(not is_np, argument, "an array of mx.nd", "one of mx.np", TypeError)
    return value


def whole(argument: str, value: Any, least: int = 1) -> int:
    """Return ``value`` if it is a whole number, at least ``least``."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    require(is_whole, argument, "a whole number", repr(value), TypeError)
    require(value >= least, argument, f"at least {least}", value)
    return int(value)


def indices(argument: str, value: mx.nd.NDArray, count: int) -> None:
    """Raise unless ``value`` holds nothing but whole numbers in 0..count - 1."""
    host = on_host(value)
    outside = host[~((host >= 0) & (host < count) & (host == np.floor(host)))]
    expected = f"whole numbers from 0 to {count - 1}"
    require(outside.size == 0, argument, expected, outside[:3].tolist())


def one_of(argument: str, value: Any, options: Collection[str]) -> str:
    """Return ``value`` if it is among ``options``."""
    require(value in options, argument, f"one of {', '.join(map(repr, options))}", repr(value))
    return value


def sequence_lengths(
    valid_length: mx.nd.NDArray | np.ndarray | Sequence[int], batch: int, length: int
) -> np.ndarray:
    """Return ``valid_length`` as a NumPy array (N,) of whole numbers in 1..T.

    MXNet does not look: 0 and lengths above T read uninitialised memory, a negative one corrupts
    the heap, NaN ends the process. So every length is checked on the host first; what comes from
    the host stays there, for the parts of a model to hand on.
    """
    try:
        lengths = np.asarray(on_host(valid_length), dtype="float64")
    except (TypeError, ValueError):
        require(False, "valid_length", "whole numbers", repr(valid_length), TypeError)
    require(lengths.shape == (batch,), "valid_length", f"shape ({batch},)", lengths.shape)
    fits = (lengths >= 1) & (lengths <= length) & (lengths == np.floor(lengths))
    wrong = lengths[~fits].tolist()
    require(not wrong, "valid_length", f"whole numbers from 1 to {length}", wrong)
    return lengths.astype("float32")


def on_host(value: Any) -> Any:
    """``value``; an MXNet array as a NumPy copy (lengths: once, for all parts of a model)."""
    return value.asnumpy() if isinstance(value, mx.nd.NDArray) else value
