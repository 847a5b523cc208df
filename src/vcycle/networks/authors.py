"""Networks published elsewhere, from their authors' configuration and weights."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from vcycle.networks.authors_fno import fno, spectral_convolution
from vcycle.networks.authors_galerkin import (
    fourier_transformer_2d,
    fourier_transformer_2d_lite,
    simple_attention,
    simple_transformer,
)
from vcycle.networks.authors_lsm import lsm, spectral_block
from vcycle.networks.authors_lsm_irregular import lsm_irregular
from vcycle.networks.authors_mgno import (
    mgno_cycle,
    mgno_darcy,
    mgno_helmholtz,
    mgno_helmholtz_2,
    mgno_navier_stokes,
)
from vcycle.networks.authors_sinenet import sinenet
from vcycle.networks.authors_t1 import t1_1d, t1_2d
from vcycle.networks.authors_t1u import t1u_2d
from vcycle.networks.checks import did_you_mean
from vcycle.networks.renamed import Published, load_renamed

# The class names of P0 (xlliu2017/MgNO, models.py) and P151 (neuraloperator 2.0).
PUBLISHED: dict[str, Callable[[str, dict[str, Any], Mapping[str, Any]], Published]] = {
    "MgNO_DC": mgno_darcy,
    "MgNO_DC_smooth": mgno_darcy,
    "MgNO_NS": mgno_navier_stokes,
    "MgNO_helm": mgno_helmholtz,
    "MgNO_helm2": mgno_helmholtz_2,
    "MgConv": mgno_cycle,
    "MgConv_DC": mgno_cycle,
    "MgConv_DC_smooth": mgno_cycle,
    "MgConv_helm": mgno_cycle,
    "MgConv_helm2": mgno_cycle,
    "MgConv_helm3": mgno_cycle,
    "FNO": fno,
    "TFNO": fno,
    "SpectralConv": spectral_convolution,
    "T1_1d": t1_1d,
    "T1_2d": t1_2d,
    "T1U_2d": t1u_2d,
    "SimpleAttention": simple_attention,
    "SimpleTransformer": simple_transformer,
    "FourierTransformer": simple_transformer,
    "FourierTransformer2D": fourier_transformer_2d,
    "FourierTransformer2DLite": fourier_transformer_2d_lite,
    "sinenet": sinenet,
    # P18 (thuml/Latent-Spectral-Models); the class in every one of its files is called Model
    "Model": lsm,
    "LSM_2D": lsm,
    "LSM_3D": lsm,
    "NeuralSpectralBlock2d": spectral_block,
    "Model (+ IPHI)": lsm_irregular,
    "LSM_Irregular_Geo": lsm_irregular,
}


def from_authors(config: Mapping[str, Any], state: Mapping[str, Any]) -> nn.Module:
    """The network that the authors' class config["cls"] computes with config["kwargs"] and this state_dict.

    It is made of this package's own operators, in the precision of the state, and in evaluation mode; the values and
    their derivatives are the authors' up to round-off. Parameters that the published class allocates but never uses
    are left out. Complex fields have twice the channels here: first all real, then all imaginary parts.

    Raises ValueError for a class, option or key that is not known or not expressible, naming it.
    """
    name = config["cls"]
    if name not in PUBLISHED:
        raise ValueError(f"unknown published class {name!r}{did_you_mean(name, list(PUBLISHED))}")
    published = PUBLISHED[name](name, dict(config.get("kwargs", {})), state)
    return load_renamed(name, published, state)
